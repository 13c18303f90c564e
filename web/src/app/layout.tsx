import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { themeScript } from '../ui/theme-toggle';
import './globals.css';
import { Providers } from './providers';

export const metadata: Metadata = {
  title: { default: 'Doorbuster', template: '%s · Doorbuster' },
  description: 'Limited drops, sold once and fairly.',
};

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f5f6f3' },
    { media: '(prefers-color-scheme: dark)', color: '#0f1011' },
  ],
};

export default async function Layout({ children }: { children: ReactNode }) {
  const nonce = await readNonce();
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant of ours, which has to run before the first paint. */}
        <script nonce={nonce} dangerouslySetInnerHTML={{ __html: themeScript }} />
      </head>
      <body className="flex min-h-dvh flex-col">
        <a
          href="#main"
          className="absolute left-4 top-4 z-10 -translate-y-24 rounded-base bg-accent px-4 py-2 font-bold text-on-accent focus:translate-y-0"
        >
          Skip to the content
        </a>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}

/** What marks the scripts of this rendering as ours, for the engine's policy; Next marks its own by it. */
async function readNonce(): Promise<string | undefined> {
  const policy = (await headers()).get('content-security-policy');
  return /'nonce-([\w-]+)'/.exec(policy ?? '')?.[1];
}
