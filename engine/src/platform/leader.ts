import pg from 'pg';
import { type AdvisoryLock, advisoryLocks } from './advisory-locks.js';
import { backoffMs, endsWithin, pause, sleep } from './backoff.js';

export type Leader = {
  /** True while this process may believe that it leads: its session has answered a heartbeat sent in the last 3.5 s. */
  isLeader(): boolean;
  /** Ends the work, then gives up the lock; a candidate takes it within about a second. */
  close(): Promise<void>;
};

export type LeaderOptions = {
  connection: pg.ClientConfig;
  /** Those who name the same lock compete with each other. */
  lock: AdvisoryLock;
  /** The work of the one who leads. It must end soon after the signal aborts; when it ends by itself, another may lead. */
  lead: (signal: AbortSignal) => Promise<void>;
  onError: (error: unknown) => void;
  onChange?: (isLeader: boolean) => void;
};

type Session = {
  query(text: string, values?: unknown[]): Promise<pg.QueryResult<{ won?: boolean }>>;
  end(): Promise<void>;
};

const heartbeatEveryMs = 1000;
// Server and leader count from the same heartbeat, the server from its end, the leader from its sending. The leader's
// belief ends first, so that no two processes hold it at the same moment.
const sessionIdleMaxMs = 4000;
const beliefMaxMs = 3500;
// A heartbeat that has no answer by then is a lost connection: 1 s of pause and this stay below the belief.
const queryTimeoutMs = 2000;
const closeTimeoutMs = 10_000;

/**
 * Has one of many processes do a work: whoever holds a session-level advisory lock, on a connection of its own. The lock
 * goes with the connection. When the leader is killed the server sees its socket close; when it is stopped, or cut off,
 * the server ends the session 4 s after its last heartbeat. Candidates ask once a second.
 *
 * What holds: no two processes have `isLeader()` true at the same moment, as long as their clocks run equally fast. A
 * leader whose connection is lost has its signal aborted, and competes again only when its work has ended. What does not
 * hold: that a process which was stopped in the middle of a statement never sends it afterwards. So the work must be one
 * that does no harm if two do it: here every job takes the ledger's locks and checks again under them what it is about
 * to do, and a stale leader finds it done.
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
  // Aborts when the session is lost, with the reason, or when the leader is closed: the work has to end.
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

  // Asking is the candidate's heartbeat too. Throws when the session is lost first.
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
    // Its failure is thrown below, when it has been waited for.
    work.catch(() => {});
    onChange(true);
    try {
      // Also while the work winds down: until that has ended nobody else shall have the lock.
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
      // A work that does not end, or a server that fell silent, must not hold the process.
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
