'use client';

import { useQueryClient } from '@tanstack/react-query';
import { usePathname, useRouter } from 'next/navigation';
import { type ReactNode, useEffect, useState } from 'react';
import { answerOf, operatorApi } from '../api/operator';
import { Action } from '../ui/action';
import { Mark } from '../ui/mark';
import { PlainLink } from '../ui/plain-link';
import { ThemeToggle } from '../ui/theme-toggle';
import { Guard } from './guard';
import { isCurrent, rooms } from './rooms';
import { useOperator } from './use-operator';

/** What stands around each page of the console: the way to every other, who is signed in, and the way out. */
export function ConsoleFrame({ children }: { children: ReactNode }) {
  const pathname = usePathname();
  const [isOpen, setOpen] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever has arrived needs no menu any more.
  useEffect(() => setOpen(false), [pathname]);

  return (
    <div className="flex grow flex-col text-dense lg:flex-row">
      <header className="no-print border-b border-rule bg-surface lg:w-60 lg:shrink-0 lg:border-r lg:border-b-0">
        <div className="lg:sticky lg:top-0 lg:flex lg:h-dvh lg:flex-col lg:overflow-y-auto">
          <div className="flex items-center justify-between gap-3 px-5 py-3 lg:pt-6 lg:pb-5">
            <PlainLink href="/admin" className="flex min-h-11 items-center gap-2.5 font-bold tracking-tight">
              <Mark />
              <span className="text-body leading-none">
                Doorbuster
                <span className="mt-1 block text-note font-normal tracking-normal text-muted">Console</span>
              </span>
            </PlainLink>
            <div className="flex items-center gap-1">
              <ThemeToggle />
              <Action
                weight="tool"
                className="lg:hidden"
                aria-expanded={isOpen}
                aria-controls="rooms"
                onClick={() => setOpen(!isOpen)}
              >
                {isOpen ? 'Close' : 'Menu'}
              </Action>
            </div>
          </div>
          <div
            id="rooms"
            className={`${isOpen ? 'flex' : 'hidden'} grow flex-col justify-between gap-6 px-3 pb-5 lg:flex`}
          >
            <Rooms pathname={pathname} />
            <WhoAmI />
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="min-w-0 grow outline-none">
        <div className="mx-auto max-w-(--console) px-5 pt-6 pb-20 sm:px-8 lg:pt-9">
          <Guard>{children}</Guard>
        </div>
      </main>
    </div>
  );
}

function Rooms({ pathname }: { pathname: string }) {
  return (
    <nav aria-label="Console" className="grid gap-x-4 gap-y-5 max-lg:grid-cols-2">
      {rooms.map(({ title, pages }) => (
        <div key={title}>
          <p className="px-2 pb-1 text-note text-muted">{title}</p>
          <ul>
            {pages.map(({ href, name }) => (
              <li key={href}>
                <RoomLink href={href} name={name} isHere={isCurrent(href, pathname)} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function RoomLink({ href, name, isHere }: { href: string; name: string; isHere: boolean }) {
  return (
    <PlainLink
      href={href}
      {...(isHere && { 'aria-current': 'page' })}
      className={`flex min-h-9 items-center rounded-base px-2 max-lg:min-h-11 ${
        isHere ? 'bg-accent font-bold text-on-accent' : 'hover:bg-rule'
      }`}
    >
      {name}
    </PlainLink>
  );
}

function WhoAmI() {
  const { data: operator } = useOperator();
  const client = useQueryClient();
  const router = useRouter();

  async function signOut(): Promise<void> {
    // Also when the session was over already: whoever presses this wants to be gone.
    await answerOf(operatorApi.DELETE('/api/admin/session')).catch(() => {});
    client.clear();
    router.push('/admin/sign-in');
  }

  return (
    <div className="border-t border-rule px-2 pt-4">
      {operator && (
        <p className="truncate text-muted">
          Signed in as <b className="text-ink">{operator.operator}</b>
        </p>
      )}
      <div className="flex items-center gap-5">
        <Action weight="quiet" className="-mx-1" onClick={() => void signOut()}>
          Sign out
        </Action>
        <PlainLink href="/" className="inline-flex min-h-11 items-center underline underline-offset-4">
          To the shop
        </PlainLink>
      </div>
    </div>
  );
}
