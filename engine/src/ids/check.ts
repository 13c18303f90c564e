import { OperatingError } from '../platform/errors.js';
import type { Queryable } from '../platform/postgres.js';

/** Checks that ids could be allocated now, without allocating one. @throws if they could not. */
export function createCheckIds(db: Queryable): () => Promise<void> {
  return async () => {
    const { rows } = await db.query<{ is_read_only: boolean }>(
      `select current_setting('transaction_read_only')::boolean as is_read_only from id_counters where name = 'user'`,
    );
    const [counter] = rows;
    if (!counter) throw cannot('The counter of user ids is missing', 'Restore id_counters from a backup');
    if (counter.is_read_only)
      throw cannot('PostgreSQL accepts no writes', 'Point DATABASE_URL at the primary server');
  };
}

function cannot(problem: string, remedy: string): OperatingError {
  return new OperatingError('IDS_UNAVAILABLE', problem, remedy, { retryable: true });
}
