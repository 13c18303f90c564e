import type pg from 'pg';
import { messageOf } from '../platform/errors.js';
import type { Queryable } from '../platform/postgres.js';

/**
 * The column that has a statement wait until the synchronous standbys have all that it read. It is worked out once, and
 * not at all where nothing is found.
 */
export const awaitStandby = '(select await_standby()) as standby';

// Far longer than a standby that is there takes, so that no read is cut off that would have been answered.
const waitsTooLongMs = 1000;

/**
 * Runs a statement that has the column `awaitStandby`. While the standby is away such a statement ends by the client's
 * timeout, and its session would go on waiting: here it is let go, so that reads do not use up the server's connections.
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

// A read has nothing to commit, so that nobody believes anything of one that is cancelled.
async function letGoOfReads(db: Queryable): Promise<void> {
  await db.query(
    `select pg_cancel_backend(pid) from pg_stat_activity
     where usename = current_user and wait_event = 'SyncRep' and strpos(query, $1) > 0
       and query_start < clock_timestamp() - $2 * interval '1 millisecond'`,
    [awaitStandby, waitsTooLongMs],
  );
}
