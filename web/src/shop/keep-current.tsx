'use client';

import { useRouter } from 'next/navigation';
import { useEffect } from 'react';
import { useServerNow } from '../ui/server-clock';

// A window that ends and the next one's beginning are a moment apart, and everybody's clock is right to some 100 ms.
const marginMs = 700;

/**
 * Has the page made anew when a sale opens or closes.
 *
 * @param changes moments at which something on the page is to change.
 */
export function KeepCurrent({ changes, now }: { changes: readonly string[]; now: string }) {
  const router = useRouter();
  const nowMs = useServerNow(now);
  const renderedAtMs = Date.parse(now);
  const isStale = changes.some(change => {
    const changeMs = Date.parse(change);
    return changeMs >= renderedAtMs && changeMs + marginMs < nowMs;
  });
  useEffect(() => {
    if (isStale) router.refresh();
  }, [isStale, router]);
  return null;
}
