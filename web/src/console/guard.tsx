'use client';

import { usePathname, useRouter } from 'next/navigation';
import { type ReactNode, useEffect } from 'react';
import { Action } from '../ui/action';
import { Notice } from '../ui/notice';
import { Skeleton } from './skeleton';
import { isSignedOut, useOperator } from './use-operator';

/**
 * Shows a page to operators alone, and sends others to the sign-in and back. It spares people a page of refusals; what may
 * be read and done is decided by the engine, call by call.
 */
export function Guard({ children }: { children: ReactNode }) {
  const { data: operator, error, refetch } = useOperator();
  const router = useRouter();
  const pathname = usePathname();
  const isTurnedAway = isSignedOut(error);
  useEffect(() => {
    if (!isTurnedAway) return;
    const here = `${pathname}${location.search}`;
    router.replace(`/admin/sign-in?next=${encodeURIComponent(here)}`);
  }, [isTurnedAway, pathname, router]);

  if (isTurnedAway) return <Skeleton />;
  if (operator) return children;
  if (!error) return <Skeleton />;
  return (
    <Notice
      tone="bad"
      title="The engine does not answer"
      isUrgent
      actions={<Action onClick={() => void refetch()}>Try again</Action>}
    >
      {error.message}
    </Notice>
  );
}
