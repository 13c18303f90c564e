import { LRUCache } from 'lru-cache';
import { onlyRow } from '../platform/only-row.js';
import type { Queryable } from '../platform/postgres.js';

/** A sign-in of an operator that still counts. */
export type OperatorSession = {
  sessionId: string;
  operator: string;
  ip: string;
  userAgent: string;
  createdAt: Date;
  endsAt: Date;
};

type NewOperatorSession = Pick<OperatorSession, 'sessionId' | 'operator' | 'ip' | 'userAgent'> & {
  /** Stands for the secret that opened it. */
  secretMark: string;
  ttlSeconds: number;
};

export type OperatorSessions = {
  create(session: NewOperatorSession): Promise<OperatorSession>;
  /** The session, while it has neither ended nor been revoked and its secret counts; revoked elsewhere it is for `sessionAgeMaxMs` more. */
  find(sessionId: string): Promise<OperatorSession | undefined>;
  /** Those that count now, newest first. */
  list(limit: number): Promise<OperatorSession[]>;
  /** @returns false if there is no such session. Revoked twice is revoked. */
  revoke(sessionId: string, by: string): Promise<boolean>;
};

// A console asks several things at once; one look-up answers them. Other processes hear of a revocation within this.
const sessionAgeMaxMs = 1000;
// Far more operators than one process meets in a second.
const sessionsRememberedMax = 1000;
// Whoever looks into an incident finds the sign-ins of the last month; the audit trail keeps what was done for longer.
const keptAfterEnd = '30 days';

/** @param secretMarks of the secrets that count: a session that another one has opened is over. */
export function createOperatorSessions(db: Queryable, secretMarks: readonly string[]): OperatorSessions {
  type Read = Promise<OperatorSession | undefined>;
  // A read counts from the moment it was asked for: what was revoked while it was under way is not remembered for longer.
  const reads = new LRUCache<string, Read>({ max: sessionsRememberedMax, ttl: sessionAgeMaxMs });

  return {
    create: session => createSession(db, session),
    async find(sessionId) {
      const known = reads.get(sessionId);
      if (known) return known;
      const read = readSession(db, sessionId, secretMarks);
      reads.set(sessionId, read);
      // A failed read is answered to those who waited for it and to nobody after them.
      read.catch(() => reads.delete(sessionId));
      return read;
    },
    list: limit => listSessions(db, limit, secretMarks),
    async revoke(sessionId, by) {
      const isKnown = await revokeSession(db, sessionId, by);
      // Also what was read while it was being revoked.
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

/** @returns how many sessions that nobody has to look for any more were forgotten. */
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
