import { LRUCache } from 'lru-cache';
import { onlyRow } from '../platform/only-row.js';
import type { Queryable } from '../platform/postgres.js';

/** A valid session of an operator. */
export type OperatorSession = {
  sessionId: string;
  operator: string;
  ip: string;
  userAgent: string;
  createdAt: Date;
  endsAt: Date;
};

type NewOperatorSession = Pick<OperatorSession, 'sessionId' | 'operator' | 'ip' | 'userAgent'> & {
  /** Stands for the secret that opened the session. */
  secretMark: string;
  ttlSeconds: number;
};

export type OperatorSessions = {
  create(session: NewOperatorSession): Promise<OperatorSession>;
  /**
   * The session, if it has neither ended nor been revoked and its secret is still valid. A session that was revoked in
   * another process is found for up to `sessionAgeMaxMs` more.
   */
  find(sessionId: string): Promise<OperatorSession | undefined>;
  /** The valid sessions, newest first. */
  list(limit: number): Promise<OperatorSession[]>;
  /** @returns false if there is no such session. A second revocation changes nothing. */
  revoke(sessionId: string, by: string): Promise<boolean>;
};

// A console sends several calls at once, and one look-up serves them all. Other processes notice a revocation within
// this time.
const sessionAgeMaxMs = 1000;
// Far more operators than one process meets in a second.
const sessionsRememberedMax = 1000;
// For investigating an incident, sign-ins of the last month are available; the audit trail keeps actions for longer.
const keptAfterEnd = '30 days';

/** @param secretMarks of the valid secrets: a session that was opened with another secret has ended. */
export function createOperatorSessions(db: Queryable, secretMarks: readonly string[]): OperatorSessions {
  type Read = Promise<OperatorSession | undefined>;
  // The TTL starts when a read starts, so a session that is revoked during the read is not remembered for longer.
  const reads = new LRUCache<string, Read>({ max: sessionsRememberedMax, ttl: sessionAgeMaxMs });

  return {
    create: session => createSession(db, session),
    async find(sessionId) {
      const known = reads.get(sessionId);
      if (known) return known;
      const read = readSession(db, sessionId, secretMarks);
      reads.set(sessionId, read);
      // A failed read fails for the callers that waited for it, and for none after them.
      read.catch(() => reads.delete(sessionId));
      return read;
    },
    list: limit => listSessions(db, limit, secretMarks),
    async revoke(sessionId, by) {
      const isKnown = await revokeSession(db, sessionId, by);
      // This also drops a read that was under way during the revocation.
      reads.delete(sessionId);
      return isKnown;
    },
  };
}

async function createSession(db: Queryable, session: NewOperatorSession): Promise<OperatorSession> {
  const { sessionId, operator, ip, userAgent, secretMark, ttlSeconds } = session;
  const { rows } = await db.query<OperatorSession>(
    `insert into operator_sessions (session_id, operator, ip, user_agent, secret_mark, ends_at)
     values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
     returning ${columns}`,
    [sessionId, operator, ip, userAgent, secretMark, ttlSeconds],
  );
  return onlyRow(rows, 'insert into operator_sessions');
}

/** Deletes sessions that ended long enough ago. @returns how many. */
export async function pruneOperatorSessions(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    'delete from operator_sessions where ends_at < clock_timestamp() - $1::interval',
    [keptAfterEnd],
  );
  return rowCount ?? 0;
}

async function readSession(
  db: Queryable,
  sessionId: string,
  secretMarks: readonly string[],
): Promise<OperatorSession | undefined> {
  const { rows } = await db.query<OperatorSession>({
    name: 'read-operator-session',
    text: `select ${columns} from operator_sessions where session_id = $2 and ${isLive}`,
    values: [secretMarks, sessionId],
  });
  return rows[0];
}

async function listSessions(
  db: Queryable,
  limit: number,
  secretMarks: readonly string[],
): Promise<OperatorSession[]> {
  const { rows } = await db.query<OperatorSession>(
    `select ${columns} from operator_sessions where ${isLive} order by created_at desc, session_id limit $2`,
    [secretMarks, limit],
  );
  return rows;
}

async function revokeSession(db: Queryable, sessionId: string, by: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update operator_sessions
     set revoked_at = coalesce(revoked_at, clock_timestamp()), revoked_by = coalesce(revoked_by, $2)
     where session_id = $1`,
    [sessionId, by],
  );
  return rowCount === 1;
}

const isLive = 'revoked_at is null and ends_at > clock_timestamp() and secret_mark = any ($1::text[])';

const columns = `session_id as "sessionId", operator, ip, user_agent as "userAgent", created_at as "createdAt",
                 ends_at as "endsAt"`;
