'use client';

import { useRouter } from 'next/navigation';
import { startTransition, useEffect } from 'react';
import { Action } from '../../ui/action';

// As often as the stock would have been asked for.
const againMs = 3000;

/** The shop could not be read; the page goes on by itself as soon as it can. */
export default function Failed({ reset }: { error: Error; reset: () => void }) {
  const router = useRouter();
  useEffect(() => {
    const timer = setInterval(
      () =>
        startTransition(() => {
          router.refresh();
          reset();
        }),
      againMs,
    );
    return () => clearInterval(timer);
  }, [router, reset]);
  return (
    <div role="alert" className="py-10">
      <h1 className="text-headline">One moment.</h1>
      <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">
        The shop does not answer right now. This page tries again by itself; orders that were accepted are
        safe.
      </p>
      <Action
        onClick={() =>
          startTransition(() => {
            router.refresh();
            reset();
          })
        }
      >
        Try again now
      </Action>
    </div>
  );
}
