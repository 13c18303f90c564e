import pg from 'pg';
import { type AdvisoryLock, advisoryLocks } from './advisory-locks.js';
import { backoffMs, endsWithin, pause, sleep } from './backoff.js';

export type Leader = {
  /** True while this process may assume that it leads: its session has answered a heartbeat sent in the last 3.5 s. */
  isLeader(): boolean;
  /** Ends the work, then gives up the lock; a candidate takes it within about a second. */
  close(): Promise<void>;
};

export type LeaderOptions = {
  connection: pg.ClientConfig;
  /** Processes with the same lock compete with each other. */
  lock: AdvisoryLock;
  /** The leader's work. It must end soon after the signal aborts; if it ends by itself, another process may lead. */
  lead: (signal: AbortSignal) => Promise<void>;
  onError: (error: unknown) => void;
  onChange?: (isLeader: boolean) => void;
};

type Session = {
  query(text: string, values?: unknown[]): Promise<pg.QueryResult<{ won?: boolean }>>;
  end(): Promise<void>;
};

const heartbeatEveryMs = 1000;
// Server and leader count from the same heartbeat: the server from its end, the leader from the moment it was sent. So the
// leader stops assuming first, and no two processes assume that they lead at the same moment.
const sessionIdleMaxMs = 4000;
const beliefMaxMs = 3500;
// A heartbeat without an answer by then means a lost connection. With the pause of 1 s, this stays below the 3.5 s.
const queryTimeoutMs = 2000;
const closeTimeoutMs = 10_000;

/**
 * Lets one of many processes do some work: the process that holds a session-level advisory lock on its own connection.
 * The lock ends with the connection. If the leader is killed, the server sees its socket close; if the leader is
 * suspended or cut off, the server ends the session 4 s after its last heartbeat. Candidates ask once a second.
 *
 * Guaranteed: no two processes have `isLeader()` true at the same moment, as long as their clocks run equally fast. A
 * leader that loses its connection gets its signal aborted, and competes again only after its work has ended. Not
 * guaranteed: that a process that was suspended in the middle of a statement never sends it later. So the work must do no
 * harm if two processes do it. Every job takes the ledger's locks and checks again under them, and a stale leader finds
 * the work done.
 */
export function createLeader({
  connection,
  lock,
  lead,
  onError,
  onChange = () => {},
}: LeaderOptions): Leader {
  let isClosing = false;
  let believesUntilMs = Number.NEGATIVE_INFINITY;
  // Aborts when the session is lost, with the reason, or when the leader is closed: the work must then end.
  let term = new AbortController();
  let session: Session | undefined;
  const competed = competeUntilClosed();

  async function competeUntilClosed(): Promise<void> {
    for (let failures = 0; !isClosing; failures++) {
      term = new AbortController();
      try {
        session = await openSession(connection, term);
        failures = 0;
        await win(session, term.signal);
        await leadOnce(session, term);
      } catch (error) {
        if (!isClosing) onError(error);
      }
      await session?.end();
      if (!isClosing) await sleep(backoffMs(failures, 250, heartbeatEveryMs));
    }
  }

  // The candidate's requests are also its heartbeats. Throws if the session is lost first.
  async function win({ query }: Session, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const { rows } = await query('select pg_try_advisory_lock($1) as won', [advisoryLocks[lock]]);
      if (rows[0]?.won) return;
      await pause(heartbeatEveryMs, signal);
    }
  }

  async function leadOnce({ query }: Session, term: AbortController): Promise<void> {
    const done = new AbortController();
    const work = Promise.resolve(term.signal)
      .then(lead)
      .finally(() => done.abort());
    // A failure is thrown below, where the work is awaited.
    work.catch(() => {});
    onChange(true);
    try {
      // Also while the work winds down: until it has ended, no other process may take the lock.
      while (!done.signal.aborted) {
        const sentAtMs = performance.now();
        await query('select 1');
        believesUntilMs = sentAtMs + beliefMaxMs;
        await pause(heartbeatEveryMs, done.signal);
      }
      term.signal.throwIfAborted();
    } finally {
      believesUntilMs = Number.NEGATIVE_INFINITY;
      term.abort();
      onChange(false);
      await work;
    }
  }

  return {
    isLeader: () => !term.signal.aborted && performance.now() < believesUntilMs,
    async close() {
      isClosing = true;
      term.abort();
      // Work that does not end, or a silent server, must not keep the process alive.
      if (!(await endsWithin(competed, closeTimeoutMs))) await session?.end();
    },
  };
}

async function openSession(connection: pg.ClientConfig, term: AbortController): Promise<Session> {
  const client = new pg.Client({ ...connection, query_timeout: queryTimeoutMs });
  client.on('error', error => term.abort(error));
  client.on('end', () => term.abort(new Error('the connection that holds the lock was closed')));
  const end = async () => {
    await endsWithin(
      client.end().catch(() => {}),
      queryTimeoutMs,
    );
  };
  try {
    await client.connect();
    await client.query(`set idle_session_timeout = ${sessionIdleMaxMs}`);
    return { query: (text, values) => client.query(text, values), end };
  } catch (error) {
    await end();
    throw error;
  }
}
