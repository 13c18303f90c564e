import { endsWithin, pause } from './backoff.js';
import { createProbe, type Pool } from './postgres.js';

/** Whether PostgreSQL answers, as far as this process knows. It is probed only after a caller has reason to doubt it. */
export type Outage = {
  isOn(): boolean;
  /** Probes the database, once for all concurrent callers. @returns whether it is down; then `isOn` until it answers. */
  suspect(): Promise<boolean>;
  /** Waits until the outage ends, at most for `timeoutMs` or until the signal aborts. */
  over(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
};

export type OutageOptions = { pool: Pool; onChange: (isOn: boolean) => void };

// Ten times what a busy server needs for its shortest answer; a server that is down refuses within a millisecond.
const answersWithinMs = 500;
// Refusing four connections a second costs a starting server almost nothing.
const askEveryMs = 250;

export function createOutage({ pool, onChange }: OutageOptions): Outage {
  const probe = createProbe(() => pool.query('select 1'));
  const closing = new AbortController();
  let current: Promise<void> | undefined;

  async function isDown(): Promise<boolean> {
    let failure: unknown;
    const asked = probe().then(error => {
      failure = error;
    });
    return !(await endsWithin(asked, answersWithinMs)) || failure !== undefined;
  }

  async function lastUntilItAnswers(): Promise<void> {
    do await pause(askEveryMs, closing.signal);
    while (!closing.signal.aborted && (await isDown()));
    current = undefined;
    if (!closing.signal.aborted) onChange(false);
  }

  return {
    isOn: () => current !== undefined,
    async suspect() {
      if (current || closing.signal.aborted) return current !== undefined;
      if (!(await isDown()) || closing.signal.aborted) return false;
      if (!current) {
        onChange(true);
        current = lastUntilItAnswers();
      }
      return true;
    },
    async over(timeoutMs, signal) {
      if (!current) return;
      const waiting = new AbortController();
      const either = AbortSignal.any([signal, waiting.signal]);
      await Promise.race([current, pause(timeoutMs, either)]);
      waiting.abort();
    },
    close: () => closing.abort(),
  };
}
