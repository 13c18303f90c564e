'use client';

import { useEffect, useState, useSyncExternalStore } from 'react';

/**
 * The server's time, by this page's own monotonic clock. Each reading is late by its way here, so the one that was least
 * late is the best; a page that slept begins anew, since its clock may have stood still.
 */
let offsetMs: number | undefined;

/** @param nowIso the server's time in something that has just arrived. */
export function hearServerTime(nowIso: string): void {
  const heardMs = Date.parse(nowIso) - performance.now();
  if (offsetMs === undefined || heardMs > offsetMs) offsetMs = heardMs;
}

function serverNowMs(): number {
  return performance.now() + (offsetMs ?? performance.timeOrigin);
}

const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
let nowMs = 0;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(tick, 250);
  document.addEventListener('visibilitychange', forget);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
    document.removeEventListener('visibilitychange', forget);
  };
}

function tick(): void {
  nowMs = serverNowMs();
  for (const listener of listeners) listener();
}

function forget(): void {
  if (document.visibilityState === 'visible') offsetMs = undefined;
}

/**
 * The server's time, four times a second.
 *
 * @param renderedAtIso the server's time when the page was made: what is shown first, so that both agree.
 */
export function useServerNow(renderedAtIso: string): number {
  const [renderedAtMs] = useState(() => Date.parse(renderedAtIso));
  useEffect(() => {
    if (offsetMs === undefined) hearServerTime(renderedAtIso);
    tick();
  }, [renderedAtIso]);
  return useSyncExternalStore(
    subscribe,
    () => nowMs || renderedAtMs,
    () => renderedAtMs,
  );
}
