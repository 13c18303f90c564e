import { backoffMs, pause } from './backoff.js';
import { messageOf } from './errors.js';
import { type Pool, sqlStateOf } from './postgres.js';

/** Connections that a process opens before all others, and reopens whenever one is lost. */
export type KeptConnections = {
  /** How many are open now. */
  openCount(): number;
  /** How many should be open. */
  wantedCount(): number;
  /** Why the last attempt to open one failed; undefined if none is missing. */
  whyMissing(): string | undefined;
  /** Resolves after the first try, whether or not it opened all of them; the rest are opened in the background. */
  firstTry: Promise<void>;
  close(): void;
};

export type KeepOpenOptions = {
  /** The pool that keeps its maximum number of connections open. */
  pool: Pool;
  /** A pool that opens no connection while one is missing in `pool`. */
  others: Pool;
  /** Called for each failed try; `onComplete` once none is missing. */
  onMissing: (error: unknown) => void;
  onComplete: () => void;
};

// A server without free connections is asked a few times a second at first, then once a second: it forks a process for
// each connection that it refuses.
const retryMinMs = 50;
const retryMaxMs = 1000;

/**
 * Keeps `pool` full. If a role or a server has too few connections for all, the work that must not stop gets its
 * connections before any other work of this process opens one: otherwise a rush of readers would take and keep them all.
 */
export function keepOpen({ pool, others, onMissing, onComplete }: KeepOpenOptions): KeptConnections {
  const wantedCount = pool.options.max;
  const othersMax = others.options.max;
  const open = new Set<object>();
  const closing = new AbortController();
  let reason: string | undefined;
  let filling: Promise<void> | undefined;

  keepAfterErrors(pool);
  pool.on('connect', client => {
    open.add(client);
    client.once('end', () => {
      open.delete(client);
      void fill();
    });
  });

  const isComplete = () => open.size >= wantedCount;

  /** Resolves when all are open, or this has closed. `onTried` is called after each try. */
  function fill(onTried = () => {}): Promise<void> {
    if (closing.signal.aborted) return Promise.resolve();
    others.options.max = 0;
    filling ??= fillUp(onTried).finally(() => {
      filling = undefined;
    });
    return filling;
  }

  async function fillUp(onTried: () => void): Promise<void> {
    for (let failures = 0; !isComplete() && !closing.signal.aborted; failures++) {
      try {
        await openMissing();
      } catch (error) {
        if (closing.signal.aborted) return;
        reason = messageOf(error);
        onMissing(error);
      }
      onTried();
      if (!isComplete())
        await pause(retryMinMs + backoffMs(failures, retryMinMs, retryMaxMs), closing.signal);
    }
    const wasMissing = reason !== undefined;
    reason = undefined;
    others.options.max = othersMax;
    letIn(others);
    if (wasMissing && !closing.signal.aborted) onComplete();
  }

  // The pool hands out idle connections before it opens a new one, so this takes the idle ones for the moment.
  async function openMissing(): Promise<void> {
    const idle = await Promise.allSettled(Array.from({ length: pool.idleCount }, () => pool.connect()));
    const missing = wantedCount - pool.totalCount;
    const opened = Array.from({ length: missing }, () => pool.connect().then(client => client.release()));
    for (const taken of idle) if (taken.status === 'fulfilled') taken.value.release();
    for (const result of await Promise.allSettled(opened))
      if (result.status === 'rejected') throw result.reason;
  }

  return {
    openCount: () => open.size,
    wantedCount: () => wantedCount,
    whyMissing: () => (isComplete() ? undefined : (reason ?? 'they are being opened')),
    firstTry: new Promise(resolve => void fill(resolve)),
    close: () => closing.abort(),
  };
}

/**
 * Makes a pool keep a connection whose statement PostgreSQL refused; node-postgres would close it, and another process
 * could take its place before it is reopened. A lost connection, or one to a server that accepts no writes, is closed.
 */
function keepAfterErrors(pool: Pool): void {
  pool.query = new Proxy(pool.query, {
    apply: async (_query, _pool, statement) => {
      const client = await pool.connect();
      try {
        const result = await Reflect.apply(client.query, client, statement);
        client.release();
        return result;
      } catch (error) {
        client.release(isOfSession(error));
        throw error;
      }
    },
  });
}

function isOfSession(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || state === '25006' || state.startsWith('57P') || state.startsWith('08');
}

// Requests that waited for room are served when a connection is returned.
function letIn(pool: Pool): void {
  if (pool.waitingCount > 0)
    pool.connect().then(
      client => client.release(),
      () => {},
    );
}
