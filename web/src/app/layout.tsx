import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { Mark } from '../ui/mark';
import { PlainLink } from '../ui/plain-link';
import { ThemeToggle, themeScript } from '../ui/theme-toggle';
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
        <Providers>
          <Header />
          <main id="main" tabIndex={-1} className="page grow pt-6 pb-20 outline-none sm:pt-10">
            {children}
          </main>
          <footer className="page no-print">
            <div className="flex flex-wrap justify-between gap-x-10 gap-y-1 border-t border-rule py-8 text-note text-muted">
              <p>Each order is decided once, in order of arrival, and kept.</p>
              <p>Countdowns run by the shop’s clock.</p>
            </div>
          </footer>
        </Providers>
      </body>
    </html>
  );
}

function Header() {
  const link =
    'flex min-h-11 items-center px-2 font-bold decoration-accent decoration-4 underline-offset-8 hover:underline';
  return (
    <header className="page no-print flex items-center justify-between gap-4 py-4">
      <PlainLink href="/" className="flex min-h-11 items-center gap-2.5 text-lead font-bold tracking-tighter">
        <Mark />
        Doorbuster
      </PlainLink>
      <nav aria-label="Shop" className="flex items-center gap-1 sm:gap-4">
        <PlainLink href="/" className={`${link} max-sm:sr-only`}>
          Drops
        </PlainLink>
        <PlainLink href="/orders" className={link}>
          Your orders
        </PlainLink>
        <ThemeToggle />
      </nav>
    </header>
  );
}

/** What marks the scripts of this rendering as ours, for the engine's policy; Next marks its own by it. */
async function readNonce(): Promise<string | undefined> {
  const policy = (await headers()).get('content-security-policy');
  return /'nonce-([\w-]+)'/.exec(policy ?? '')?.[1];
}
