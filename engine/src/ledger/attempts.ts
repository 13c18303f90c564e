import { finished } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { backoffMs, endsWithin, sleep } from '../platform/backoff.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import { OperatingError } from '../platform/errors.js';
import type { Client, Pool } from '../platform/postgres.js';
import { type Attempt, type Chunk, createAttemptBuffer } from './attempt-buffer.js';
import { classifyFailure } from './failures.js';

export type Attempts = {
  /** Never waits, never throws: with the buffer full the attempt is dropped, and counted. */
  record(attempt: Attempt): void;
  /** Attempts dropped since the start because the buffer was full, or given up when the process ended. */
  dropped(): number;
  /** Writes out what is buffered, for at most `timeoutMs`, and stops. */
  close(timeoutMs: number): Promise<void>;
};

export type AttemptsOptions = {
  pool: Pool;
  clock: DatabaseClock;
  /** Attempts in memory; one more is dropped and counted. */
  bufferMax: number;
  /** Told of each that is recorded, kept or not. */
  onAttempt?: (attempt: Attempt) => void;
  /** Told of each write that failed, and when attempts have been dropped. */
  onError: (error: unknown) => void;
};

// Ten writes a second keep the cost per row at that of COPY, and leave most of the five seconds that an attempt may
// take to become a row (invariant 13) for a database that is slow.
const flushEveryMs = 100;

/** Keeps refused attempts in memory and writes them in bulk, off the road of the purchase. */
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
        `${droppedCount - reportedCount} attempts were dropped because PostgreSQL does not keep up`,
        'Raise ATTEMPTS_BUFFER_MAX, or give PostgreSQL more to work with',
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

/** @returns false if PostgreSQL refuses the rows themselves; anything else is tried until it works or is given up. */
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

/** COPY in a transaction whose id is known before COMMIT is sent, so that a cut connection can be asked about. */
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
  // No waiting between the chunks: they are in memory already, and there are 4 MB of them at most.
  for (const { bytes, usedBytes } of chunks) stream.write(bytes.subarray(0, usedBytes));
  stream.end();
  await finished(stream);
}

async function isCommitted(pool: Pool, transactionId: string): Promise<boolean> {
  const { rows } = await pool.query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [
    transactionId,
  ]);
  const status = rows[0]?.status;
  if (status === 'in progress') throw new Error('the former write has not ended yet');
  return status === 'committed';
}
