import { endsWithin } from './backoff.js';
import { type Pool, sqlStateOf } from './postgres.js';

/** Whether the database takes commits, as far as this process knows. */
export type CommitCheck = {
  /** How a statement that writes has ended: without an error once it is committed. */
  note(error?: unknown): void;
  /** Asks the database only where what was noted does not tell. @returns why it takes no commits; undefined if it does. */
  whyNot(): Promise<unknown>;
};

// What was committed this lately needs no question, so that a process asks every two seconds at most.
const freshMs = 2000;
// A small row can be written where a table cannot grow any more: after such a failure the probe alone proves nothing.
const refusedForMs = 5000;
// A commit takes milliseconds, also with a standby. A process that is only behind is not taken from its balancer for it.
const patienceMs = 3000;

// The volume is full or broken, or the server takes no writes.
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
      // One that hangs is asked again by nobody: each would leave a session behind that waits for its commit.
      asked ??= ask();
      // Held here: once it has ended, `asked` is free for the next question.
      const answer = asked;
      if (await endsWithin(answer, patienceMs)) return answer;
      return new Error(`a commit takes longer than ${patienceMs} ms`);
    },
  };
}

// Purpose: commit something small. The row's lock also bounds what hangs: while one commit waits for a standby that is gone,
// which no timeout ends, the probes of other processes wait for its lock, and that wait has a timeout.
// Locks: the row. Index: none, there is one row.
const probe = {
  name: 'commit-probe',
  text: `update commit_probe set committed_at = clock_timestamp()
         where committed_at not between clock_timestamp() - interval '1 second' and clock_timestamp()`,
};
