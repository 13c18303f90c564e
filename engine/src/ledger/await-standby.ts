import type pg from 'pg';
import { messageOf } from '../platform/errors.js';
import type { Queryable } from '../platform/postgres.js';

/**
 * A column that makes a statement wait until the synchronous standbys have everything that it read. It is evaluated once,
 * and not at all if the statement finds nothing.
 */
export const awaitStandby = '(select await_standby()) as standby';

// Far longer than a reachable standby takes, so that no read is cut off that would have been answered.
const waitsTooLongMs = 1000;

/**
 * Runs a statement that has the column `awaitStandby`. While the standby is away, such a statement ends with the client's
 * timeout, but its session would keep waiting. This function cancels that session, so that reads do not use up the
 * server's connections.
 */
export async function readReplicated<Row extends pg.QueryResultRow>(
  db: Queryable,
  statement: pg.QueryConfig,
): Promise<Row[]> {
  try {
    return (await db.query<Row>(statement)).rows;
  } catch (error) {
    if (messageOf(error) === 'Query read timeout') await letGoOfReads(db).catch(() => {});
    throw error;
  }
}

// A read has nothing to commit, so cancelling it cannot make an unreplicated commit look durable.
async function letGoOfReads(db: Queryable): Promise<void> {
  await db.query(
    `select pg_cancel_backend(pid) from pg_stat_activity
     where usename = current_user and wait_event = 'SyncRep' and strpos(query, $1) > 0
       and query_start < clock_timestamp() - $2 * interval '1 millisecond'`,
    [awaitStandby, waitsTooLongMs],
  );
}
