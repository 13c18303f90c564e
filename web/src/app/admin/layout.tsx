import type { Metadata } from 'next';
import type { ReactNode } from 'react';

export const metadata: Metadata = {
  title: { default: 'Console', template: '%s · Console' },
  description: 'Where a sale is run.',
  robots: { index: false },
};

export default function Layout({ children }: { children: ReactNode }) {
  return children;
}
