import type { ReactNode } from 'react';
import { Mark } from '../ui/mark';
import { PlainLink } from '../ui/plain-link';
import { ThemeToggle } from '../ui/theme-toggle';

/** What stands around each page of the shop. */
export function ShopFrame({ children }: { children: ReactNode }) {
  return (
    <>
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
    </>
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
