import { endsWithin } from './backoff.js';
import { type Pool, sqlStateOf } from './postgres.js';

/** Whether the database accepts commits, as far as this process knows. */
export type CommitCheck = {
  /** Notes how a writing statement has ended: without an error if it was committed. */
  note(error?: unknown): void;
  /** Asks the database only if the notes do not decide it. @returns why it accepts no commits; undefined if it does. */
  whyNot(): Promise<unknown>;
};

// After a commit this recent no probe is needed, so a process probes at most every two seconds.
const freshMs = 2000;
// A small row may still be written when a table can no longer grow: after such a failure, the probe alone proves nothing.
const refusedForMs = 5000;
// A commit takes milliseconds, even with a standby. A process that is merely slow must stay in its load balancer.
const patienceMs = 3000;

// The volume is full or broken, or the server accepts no writes.
const refusesWrites = new Set(['53100', '58030', '25006']);

export function createCommitCheck(pool: Pool): CommitCheck {
  let committedAtMs = Number.NEGATIVE_INFINITY;
  let refusedAtMs = Number.NEGATIVE_INFINITY;
  let refusal: unknown;
  let asked: Promise<unknown> | undefined;

  function note(error?: unknown): void {
    if (error === undefined) committedAtMs = performance.now();
    else if (refusesWrites.has(sqlStateOf(error) ?? '')) {
      refusedAtMs = performance.now();
      refusal = error;
    }
  }

  async function ask(): Promise<unknown> {
    try {
      await pool.query(probe);
      note();
      return undefined;
    } catch (error) {
      note(error);
      return error;
    } finally {
      asked = undefined;
    }
  }

  return {
    note,
    async whyNot() {
      const nowMs = performance.now();
      if (refusedAtMs > committedAtMs && nowMs - refusedAtMs < refusedForMs) return refusal;
      if (nowMs - committedAtMs < freshMs) return undefined;
      // While a probe hangs, no other is sent: each would leave a session that waits for its commit.
      asked ??= ask();
      // A local reference: once the probe has ended, `asked` is free for the next one.
      const answer = asked;
      if (await endsWithin(answer, patienceMs)) return answer;
      return new Error(`a commit takes longer than ${patienceMs} ms`);
    },
  };
}

// Purpose: commit a small change. The row's lock also bounds what can hang: no timeout ends a commit that waits for a lost
// standby, but the probes of other processes then wait for the row's lock, and that wait has a timeout.
// Locks: the row. Index: none, there is one row.
const probe = {
  name: 'commit-probe',
  text: `update commit_probe set committed_at = clock_timestamp()
         where committed_at not between clock_timestamp() - interval '1 second' and clock_timestamp()`,
};
