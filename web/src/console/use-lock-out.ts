'use client';

import { useEffect, useState } from 'react';

/** How long the engine refuses guesses, and at what time of the reader's that is over. */
export function useLockOut() {
  const [endsAt, setEndsAt] = useState<number>();
  useEffect(() => {
    if (endsAt === undefined) return;
    const timer = setTimeout(() => setEndsAt(undefined), endsAt - Date.now());
    return () => clearTimeout(timer);
  }, [endsAt]);

  return {
    isLocked: endsAt !== undefined,
    until:
      endsAt === undefined
        ? ''
        : new Date(endsAt).toLocaleTimeString('en-GB', {
            hour: '2-digit',
            minute: '2-digit',
            second: '2-digit',
          }),
    begin: (seconds: number) => setEndsAt(Date.now() + seconds * 1000),
  };
}
