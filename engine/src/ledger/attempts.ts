import { finished } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { backoffMs, endsWithin, sleep } from '../platform/backoff.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import { OperatingError } from '../platform/errors.js';
import type { Client, Pool } from '../platform/postgres.js';
import { type Attempt, type Chunk, createAttemptBuffer } from './attempt-buffer.js';
import { classifyFailure } from './failures.js';

export type Attempts = {
  /** Never waits, never throws: if the buffer is full, the attempt is dropped and counted. */
  record(attempt: Attempt): void;
  /** Attempts dropped since the start: because the buffer was full, or because the process ended. */
  dropped(): number;
  /** Writes what is buffered, for at most `timeoutMs`, and stops. */
  close(timeoutMs: number): Promise<void>;
};

export type AttemptsOptions = {
  pool: Pool;
  clock: DatabaseClock;
  /** Attempts that may wait in memory; further ones are dropped and counted. */
  bufferMax: number;
  /** Called for each recorded attempt, whether it is kept or dropped. */
  onAttempt?: (attempt: Attempt) => void;
  /** Called for each failed write, and when attempts were dropped. */
  onError: (error: unknown) => void;
};

// Ten writes a second keep the cost per row close to that of COPY. An attempt may take five seconds to become a row
// (invariant 13); this leaves most of them for a slow database.
const flushEveryMs = 100;

/** Keeps refused attempts in memory and writes them in bulk, off the hot path. */
export function createAttempts(options: AttemptsOptions): Attempts {
  const { pool, clock, bufferMax, onAttempt = () => {}, onError } = options;
  const buffer = createAttemptBuffer(bufferMax, clock);
  const write = createWrite(pool, onError, () => isGivenUp);
  let droppedCount = 0;
  let reportedCount = 0;
  let isClosing = false;
  let isGivenUp = false;
  let wake = () => {};
  const written = writeUntilClosed();

  async function writeUntilClosed(): Promise<void> {
    while (!isGivenUp && (!isClosing || buffer.rowCount() > 0)) {
      if (!isClosing) await pause();
      const chunks = buffer.take();
      const rowCount = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
      if (rowCount > 0 && !(await write(chunks))) droppedCount += rowCount;
      buffer.release(rowCount);
      reportDropped();
    }
  }

  function reportDropped(): void {
    if (droppedCount === reportedCount) return;
    onError(
      new OperatingError(
        'ATTEMPTS_DROPPED',
        `${droppedCount - reportedCount} attempts were dropped because PostgreSQL cannot keep up`,
        'Raise ATTEMPTS_BUFFER_MAX, or give PostgreSQL more resources',
      ),
    );
    reportedCount = droppedCount;
  }

  function pause(): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, flushEveryMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    record(attempt) {
      onAttempt(attempt);
      if (!buffer.append(attempt)) droppedCount += 1;
    },
    dropped: () => droppedCount,
    async close(timeoutMs) {
      isClosing = true;
      wake();
      if (await endsWithin(written, timeoutMs)) return;
      isGivenUp = true;
      droppedCount += buffer.rowCount();
    },
  };
}

/**
 * @returns false if PostgreSQL refuses the rows themselves; any other failure is retried until it succeeds or is given
 * up.
 */
function createWrite(pool: Pool, onError: (error: unknown) => void, isGivenUp: () => boolean) {
  return async (chunks: readonly Chunk[]): Promise<boolean> => {
    let unsure: string | undefined;
    for (let tries = 0; !isGivenUp(); tries++) {
      try {
        if (unsure !== undefined && (await isCommitted(pool, unsure))) return true;
        unsure = undefined;
        await writeOnce(pool, chunks, transactionId => {
          unsure = transactionId;
        });
        return true;
      } catch (error) {
        onError(error);
        if (classifyFailure(error) === 'bad-row') return false;
        await sleep(backoffMs(tries, 50, 1000));
      }
    }
    return true;
  };
}

/** COPY in a transaction whose id is known before COMMIT, so that its outcome can be checked if the connection is cut. */
async function writeOnce(
  pool: Pool,
  chunks: readonly Chunk[],
  onTransaction: (transactionId: string) => void,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
    await copy(client, chunks);
    onTransaction(rows[0]?.id ?? '');
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function copy(client: Client, chunks: readonly Chunk[]): Promise<void> {
  const stream = client.query(
    copyFrom(
      'copy attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us) from stdin',
    ),
  );
  // No backpressure between the chunks: they are in memory already, at most 4 MB.
  for (const { bytes, usedBytes } of chunks) stream.write(bytes.subarray(0, usedBytes));
  stream.end();
  await finished(stream);
}

async function isCommitted(pool: Pool, transactionId: string): Promise<boolean> {
  const { rows } = await pool.query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [
    transactionId,
  ]);
  const status = rows[0]?.status;
  if (status === 'in progress') throw new Error('the previous write has not ended yet');
  return status === 'committed';
}
