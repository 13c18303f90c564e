import { endsWithin, pause } from './backoff.js';
import { createProbe, type Pool } from './postgres.js';

/** Whether PostgreSQL answers, as far as this process knows. It is asked only once somebody has had reason to doubt it. */
export type Outage = {
  isOn(): boolean;
  /** Asks the database, once for all who doubt at the same time. @returns whether it is down; then `isOn` until it answers. */
  suspect(): Promise<boolean>;
  /** Waits until it is over, at most for `timeoutMs` or until the signal aborts. */
  over(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
};

export type OutageOptions = { pool: Pool; onChange: (isOn: boolean) => void };

// Ten times what a busy server takes for its shortest answer; one that is down refuses in a millisecond.
const answersWithinMs = 500;
// A refused connection four times a second is nothing to a server that is starting.
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
