import { createProduct } from '../catalog/products.js';
import { insertSale } from '../catalog/sales.js';
import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import type { Ending, Terms } from './generator.js';
import type { Progress, Report } from './report.js';

export type Rehearsal = Terms & {
  rehearsalId: number;
  productId: number | null;
  saleId: number | null;
  operator: string;
  status: 'running' | 'ended' | 'stopped' | 'failed';
  startedAt: Date;
  endedAt: Date | null;
  progress: Progress | null;
  report: Report | null;
  failure: string | null;
};

export type NewRehearsal = Terms & { operator: string };
export type CreatedRehearsal =
  | { outcome: 'created'; rehearsal: Rehearsal; productId: number; saleId: number }
  | { outcome: 'rehearsal-running' };

// Time after the load for the answers under way, the verdict and the audit. The sale then ends by itself, even if every
// process that knows about it has died.
export const judgedWithinSeconds = 90;

// The process reports twice a second; one that has been silent for this long has died.
const silentSecondsMax = 15;

/** Creates a rehearsal with its own product and open sale. First ends one whose process has died. */
export async function createRehearsal(pool: Pool, wanted: NewRehearsal): Promise<CreatedRehearsal> {
  return inTransaction(pool, async tx => {
    await endSilent(tx);
    // This waits for another transaction that is adding one right now.
    const { rows } = await tx.query<{ id: number; now: Date }>(
      `insert into rehearsals (operator, allocation, shoppers, rate_per_second, seconds) values ($1, $2, $3, $4, $5)
       on conflict do nothing returning rehearsal_id as id, started_at as now`,
      [wanted.operator, wanted.allocation, wanted.shoppers, wanted.ratePerSecond, wanted.seconds],
    );
    const [added] = rows;
    if (!added) return { outcome: 'rehearsal-running' };
    const { productId, saleId } = await createThrowAway(tx, wanted, added);
    const updated = await tx.query<Rehearsal>(
      `update rehearsals set product_id = $2, sale_id = $3 where rehearsal_id = $1 returning ${columns}`,
      [added.id, productId, saleId],
    );
    const [rehearsal] = updated.rows;
    if (!rehearsal) throw new Error(`rehearsal ${added.id} no longer exists`);
    return { outcome: 'created', rehearsal, productId, saleId };
  });
}

async function createThrowAway(
  tx: Client,
  { allocation, seconds }: Terms,
  { id, now }: { id: number; now: Date },
): Promise<{ productId: number; saleId: number }> {
  const { productId } = await createProduct(tx, {
    name: `Rehearsal ${id}`,
    priceMinor: 100,
    currency: 'EUR',
    isRehearsal: true,
  });
  const endsAt = new Date(now.getTime() + (seconds + judgedWithinSeconds) * 1000);
  const sale = { productId, startsAt: now, endsAt, allocation, perUserLimit: 1, holdTtlSeconds: 60 };
  const created = await insertSale(tx, sale);
  if (created.outcome !== 'created') throw new Error(`the sale of rehearsal ${id} is ${created.outcome}`);
  return { productId, saleId: created.sale.saleId };
}

async function endSilent(tx: Client): Promise<void> {
  await tx.query(
    `update rehearsals set status = 'failed', ended_at = clock_timestamp(), failure = 'The process that ran it has died.'
     where status = 'running' and seen_at < clock_timestamp() - make_interval(secs => $1)`,
    [silentSecondsMax],
  );
}

/** Reports that it is still running, and its progress. @returns whether it should go on or stop, or has been ended. */
export async function tellRehearsal(
  db: Queryable,
  rehearsalId: number,
  progress: Progress | undefined,
): Promise<'go-on' | 'stop' | 'ended'> {
  const { rows } = await db.query<{ isToStop: boolean }>(
    `update rehearsals set seen_at = clock_timestamp(), progress = coalesce($2, progress)
     where rehearsal_id = $1 and status = 'running' returning is_to_stop as "isToStop"`,
    [rehearsalId, progress ?? null],
  );
  const [row] = rows;
  if (!row) return 'ended';
  return row.isToStop ? 'stop' : 'go-on';
}

/** Records how it ended; changes nothing if it has already ended. */
export async function endRehearsal(db: Queryable, rehearsalId: number, ending: Ending): Promise<void> {
  const isReported = 'report' in ending;
  await db.query(
    `update rehearsals
     set ended_at = clock_timestamp(), report = $2, failure = $3,
         status = case when $3::text is not null then 'failed' when is_to_stop then 'stopped' else 'ended' end
     where rehearsal_id = $1 and status = 'running'`,
    [rehearsalId, isReported ? ending.report : null, isReported ? null : ending.failure],
  );
}

/** Asks the process that runs it to stop. @returns undefined if there is no such rehearsal. */
export async function stopRehearsal(db: Queryable, rehearsalId: number): Promise<Rehearsal | undefined> {
  await db.query(`update rehearsals set is_to_stop = true where rehearsal_id = $1 and status = 'running'`, [
    rehearsalId,
  ]);
  return readRehearsal(db, rehearsalId);
}

export async function readRehearsal(db: Queryable, rehearsalId: number): Promise<Rehearsal | undefined> {
  const { rows } = await db.query<Rehearsal>(`select ${columns} from rehearsals where rehearsal_id = $1`, [
    rehearsalId,
  ]);
  return rows[0];
}

/** Newest first, at most `limit`. */
export async function listRehearsals(db: Queryable, limit: number): Promise<Rehearsal[]> {
  const { rows } = await db.query<Rehearsal>(
    `select ${columns} from rehearsals order by rehearsal_id desc limit $1`,
    [limit],
  );
  return rows;
}

// A process that has been silent for too long counts as dead, even before that is recorded.
const isSilent = `(status = 'running' and seen_at < clock_timestamp() - make_interval(secs => ${silentSecondsMax}))`;

const columns = `rehearsal_id as "rehearsalId", product_id as "productId", sale_id as "saleId", operator, allocation, shoppers,
  rate_per_second as "ratePerSecond", seconds, started_at as "startedAt", progress, report,
  case when ${isSilent} then 'failed' else status end as status,
  case when ${isSilent} then seen_at else ended_at end as "endedAt",
  case when ${isSilent} then 'The process that ran it has died.' else failure end as failure`;
