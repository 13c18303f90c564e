import { onlyRow } from '../platform/only-row.js';
import type { Queryable } from '../platform/postgres.js';

/** One thing that an operator did, or tried to do. */
export type OperatorAction = {
  actionId: number;
  at: Date;
  operator: string;
  /** Null if the request presented the secret itself. */
  sessionId: string | null;
  /** Method and pattern of the route, such as `POST /api/admin/sales/:id/pause`. */
  action: string;
  /** The path as requested. */
  target: string;
  /** The body as JSON, without secrets, cut off at 4,000 characters. */
  detail: string | null;
  ip: string;
  requestId: string;
  /** Null while it is under way, and forever if its process died during it. */
  status: number | null;
  /** `ok`, or the slug of the refusal. */
  outcome: string | null;
};

export type NewOperatorAction = Omit<OperatorAction, 'actionId' | 'at' | 'status' | 'outcome'>;
export type ActionEnd = { status: number; outcome: string };

/**
 * Records an action before it is carried out.
 *
 * @param end set if the action has already ended.
 */
export async function addOperatorAction(
  db: Queryable,
  action: NewOperatorAction,
  end?: ActionEnd,
): Promise<number> {
  const { operator, sessionId, action: name, target, detail, ip, requestId } = action;
  const { rows } = await db.query<{ actionId: number }>(
    `insert into operator_actions (operator, session_id, action, target, detail, ip, request_id, status, outcome)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning action_id as "actionId"`,
    [operator, sessionId, name, target, detail, ip, requestId, end?.status, end?.outcome],
  );
  return onlyRow(rows, 'insert into operator_actions').actionId;
}

export async function endOperatorAction(
  db: Queryable,
  actionId: number,
  { status, outcome }: ActionEnd,
): Promise<void> {
  await db.query(`update operator_actions set status = $2, outcome = $3 where action_id = $1`, [
    actionId,
    status,
    outcome,
  ]);
}

// Some 300 bytes each: a delete of a few milliseconds, and a year of a busy script is deleted within minutes.
const prunedAtOnceMax = 1000;

/**
 * Deletes actions older than `keptDays`, oldest first, at most 1,000 at once. Ids follow time, because rows are
 * numbered when they are written, so no index by time is needed.
 *
 * @param keptDays 0 keeps all.
 * @returns how many were deleted; if any, there may be more.
 */
export async function pruneOperatorActions(db: Queryable, keptDays: number): Promise<number> {
  if (keptDays === 0) return 0;
  const { rowCount } = await db.query(
    `delete from operator_actions where at < clock_timestamp() - make_interval(days => $1)
       and action_id in (select action_id from operator_actions order by action_id limit $2)`,
    [keptDays, prunedAtOnceMax],
  );
  return rowCount ?? 0;
}

/** Newest first, at most `limit`, of those before the id `before`. */
export async function listOperatorActions(
  db: Queryable,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<OperatorAction[]> {
  const { rows } = await db.query<OperatorAction>(
    `select action_id as "actionId", at, operator, session_id as "sessionId", action, target, detail, ip,
            request_id as "requestId", status, outcome
     from operator_actions where $1::bigint is null or action_id < $1 order by action_id desc limit $2`,
    [before, limit],
  );
  return rows;
}
