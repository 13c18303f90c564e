import { backoffMs, pause } from './backoff.js';
import { messageOf } from './errors.js';
import { type Pool, sqlStateOf } from './postgres.js';

/** Connections that a process opens before all others, and opens again whenever one is lost. */
export type KeptConnections = {
  /** How many are open now. */
  openCount(): number;
  /** How many should be. */
  wantedCount(): number;
  /** Why the last try to open one failed; undefined while none is missing. */
  whyMissing(): string | undefined;
  /** Resolves after the first try, whether it opened all of them or not: the rest is tried in the background. */
  firstTry: Promise<void>;
  close(): void;
};

export type KeepOpenOptions = {
  /** The pool that keeps as many connections as it may have. */
  pool: Pool;
  /** Opens no connection while one is missing in `pool`. */
  others: Pool;
  /** Told of each try that failed, and when none is missing any more. */
  onMissing: (error: unknown) => void;
  onComplete: () => void;
};

// A server that has no connection left is asked a few times a second at first, then once: one refused connection is a fork.
const retryMinMs = 50;
const retryMaxMs = 1000;

/**
 * Keeps `pool` full. Where a role or a server has too few connections for all, the work that must not stop has its own
 * before any other work of this process opens one: else a rush of readers takes them all, and keeps them.
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

  /** @returns when all are open, or this has closed. `onTried` hears of the end of each try. */
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

  // The pool hands out an idle connection before it opens one, so the idle ones are taken for this turn.
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
 * Has a pool keep the connection of a statement that PostgreSQL refused; node-postgres closes it, and another process may
 * have its place before it is opened again. One that was lost, or leads to a server that takes no writes, goes.
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

// Who waited while there was no room is served when a connection is given back.
function letIn(pool: Pool): void {
  if (pool.waitingCount > 0)
    pool.connect().then(
      client => client.release(),
      () => {},
    );
}
