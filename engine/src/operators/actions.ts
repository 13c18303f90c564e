import type { Queryable } from '../platform/postgres.js';

/** One thing that an operator did, or tried to do. */
export type OperatorAction = {
  actionId: number;
  at: Date;
  operator: string;
  /** Null where the secret itself was presented. */
  sessionId: string | null;
  /** Method and pattern of the route, such as `POST /api/admin/sales/:id/pause`. */
  action: string;
  /** The path as it was called. */
  target: string;
  /** The body as JSON, without secrets, cut off at 4,000 characters. */
  detail: string | null;
  ip: string;
  requestId: string;
  /** Null while it is under way, and for ever if its process died over it. */
  status: number | null;
  /** `ok`, or the slug of the refusal. */
  outcome: string | null;
};

export type NewOperatorAction = Omit<OperatorAction, 'actionId' | 'at' | 'status' | 'outcome'>;
export type ActionEnd = { status: number; outcome: string };

/**
 * Writes down what is about to be done.
 *
 * @param end where it is over already.
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
  const [added] = rows;
  if (!added) throw new Error('insert into operator_actions returned no row');
  return added.actionId;
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
