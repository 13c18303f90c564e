import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import { onlyRow } from '../platform/only-row.js';
import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import { nextStart, type Recurrence } from './recurrence.js';
import { type CreatedSale, insertSale, type NewSale, type Payment, setSaleStatus } from './sales.js';

/** A repeating sale: each of its windows is a separate sale on these terms, with its own stock. */
export type Series = {
  seriesId: number;
  productId: number;
  recurrence: Recurrence;
  durationSeconds: number;
  allocation: number;
  perUserLimit: number;
  perPaymentLimit: number | null;
  perAddressLimit: number | null;
  holdTtlSeconds: number;
  payment: Payment;
  prizeOdds: number | null;
  status: 'active' | 'ended';
  createdAt: Date;
  /** Start of the last window that was planned or skipped. */
  plannedUntil: Date;
};

/** `passedOver`: windows that were skipped because the product already has another sale then. */
export type PlannedWindows = { planned: number; passedOver: { seriesId: number; startsAt: Date }[] };

const horizonMs = 24 * 3_600_000;
// Windows of one series in one transaction. If a pattern repeats every few minutes, later passes plan the rest.
const windowsPerPassMax = 100;
const seriesPerPageMax = 500;
const seriesPerRoundMax = 500;

/**
 * Creates missing sales, so that each active series has its windows of the next 24 hours, and at least its next one. The
 * price is the product's current one. A missed window that is over is skipped; one under way is created. A planner locks
 * the series' row, so that two planners plan every window once.
 *
 * @param onPlanned called after COMMIT for each series that had windows to plan.
 * @param readNow the time by the database's clock.
 */
export function createPlanWindows(
  pool: Pool,
  onPlanned: (windows: PlannedWindows) => void,
  readNow = () => readClock(pool),
): Run {
  let now = new Date(0);
  return eachItem({
    kind: 'series',
    keyOf: (seriesId: number) => seriesId,
    roundMax: seriesPerRoundMax,
    async find(except, limit) {
      now = await readNow();
      return findSeriesToPlan(pool, now, except, limit);
    },
    async work(seriesId) {
      const windows = await inTransaction(pool, tx => planSeries(tx, seriesId, now));
      onPlanned(windows);
      return windows.planned + windows.passedOver.length;
    },
  });
}

async function readClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>('select clock_timestamp() as now');
  return onlyRow(rows, 'the clock').now;
}

// A series that cannot be evaluated counts as due, so that its turn fails and is reported.
function isDue(series: Series, now: Date): boolean {
  try {
    return dueStarts(series, now).length > 0;
  } catch {
    return true;
  }
}

async function findSeriesToPlan(
  db: Queryable,
  now: Date,
  except: readonly number[],
  limit: number,
): Promise<number[]> {
  const due: number[] = [];
  let page: Series[];
  let after = 0;
  do {
    page = await readActive(db, after);
    after = page.at(-1)?.seriesId ?? after;
    due.push(...page.filter(series => isDue(series, now)).map(({ seriesId }) => seriesId));
  } while (page.length === seriesPerPageMax);
  return due.filter(seriesId => !except.includes(seriesId)).slice(0, limit);
}

/** Creates a series with the given sale as its first window, and plans what comes next. */
export async function createSeries(pool: Pool, sale: NewSale, recurrence: Recurrence): Promise<CreatedSale> {
  return inTransaction(pool, tx => insertSeries(tx, sale, recurrence));
}

/** Like createSeries, within the caller's transaction. */
export async function insertSeries(tx: Client, sale: NewSale, recurrence: Recurrence): Promise<CreatedSale> {
  const { rows } = await tx.query<{ seriesId: number; now: Date }>(
    `insert into sale_series (product_id, cron, time_zone, duration_seconds, allocation, per_user_limit,
                              hold_ttl_seconds, payment, prize_odds, planned_until, per_payment_limit,
                              per_address_limit)
     select product_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 from products where product_id = $1
     returning series_id as "seriesId", clock_timestamp() as now`,
    [
      sale.productId,
      recurrence.cron,
      recurrence.timeZone,
      (sale.endsAt.getTime() - sale.startsAt.getTime()) / 1000,
      sale.allocation,
      sale.perUserLimit,
      sale.holdTtlSeconds,
      sale.payment ?? 'none',
      sale.prizeOdds ?? null,
      sale.startsAt,
      sale.perPaymentLimit ?? null,
      sale.perAddressLimit ?? null,
    ],
  );
  const [row] = rows;
  if (!row) return { outcome: 'product-not-found' };
  const created = await insertSale(tx, { ...sale, seriesId: row.seriesId });
  if (created.outcome === 'created') {
    await planSeries(tx, row.seriesId, row.now);
  } else await tx.query('delete from sale_series where series_id = $1', [row.seriesId]);
  return created;
}

/** Stops planning windows, and ends those that have not begun. @returns undefined if there is no such series. */
export async function endSeries(pool: Pool, seriesId: number): Promise<Series | undefined> {
  return inTransaction(pool, async tx => {
    const series = await lockSeries(tx, seriesId);
    if (!series || series.status === 'ended') return series;
    await tx.query(`update sale_series set status = 'ended' where series_id = $1`, [seriesId]);
    const { rows } = await tx.query<{ saleId: number }>(
      `select sale_id as "saleId" from sales
       where series_id = $1 and starts_at > clock_timestamp() and status <> 'ended' order by sale_id`,
      [seriesId],
    );
    for (const { saleId } of rows) await setSaleStatus(tx, saleId, 'ended');
    return { ...series, status: 'ended' };
  });
}

/** Series in the order of their ids, at most `limit`, after the id `after`. */
export async function listSeries(db: Queryable, after: number, limit: number): Promise<Series[]> {
  const { rows } = await db.query<Series>(
    `select ${columns} from sale_series where series_id > $1 order by series_id limit $2`,
    [after, limit],
  );
  return rows;
}

// Locks: the series' row first, then stock and sales as always. A transaction that holds those never locks a series.
async function planSeries(tx: Client, seriesId: number, now: Date): Promise<PlannedWindows> {
  const result: PlannedWindows = { planned: 0, passedOver: [] };
  const series = await lockSeries(tx, seriesId);
  if (series?.status !== 'active') return result;
  const starts = dueStarts(series, now);
  for (const startsAt of starts) {
    const endsAt = endOf(series, startsAt);
    if (endsAt <= now) continue;
    const { outcome } = await insertSale(tx, { ...series, startsAt, endsAt });
    if (outcome === 'created') result.planned += 1;
    else result.passedOver.push({ seriesId, startsAt });
  }
  await tx.query('update sale_series set planned_until = $2 where series_id = $1', [
    seriesId,
    starts.at(-1) ?? series.plannedUntil,
  ]);
  return result;
}

/** The starts to plan at `now`, in order, at most `windowsPerPassMax`. */
function dueStarts(series: Series, now: Date): Date[] {
  const { recurrence, plannedUntil, durationSeconds } = series;
  const underWaySince = new Date(now.getTime() - durationSeconds * 1000);
  const due: Date[] = [];
  let last = plannedUntil > underWaySince ? plannedUntil : underWaySince;
  while (due.length < windowsPerPassMax) {
    const start = nextStart(recurrence, last);
    const isAhead = start !== undefined && start.getTime() > now.getTime() + horizonMs;
    if (!start || (isAhead && last > now)) break;
    due.push(start);
    last = start;
  }
  return due;
}

// On a day of 23 hours, a window of a whole day would overlap the next one.
function endOf({ recurrence, durationSeconds }: Series, startsAt: Date): Date {
  const endsAtMs = startsAt.getTime() + durationSeconds * 1000;
  const nextAtMs = nextStart(recurrence, startsAt)?.getTime() ?? endsAtMs;
  return new Date(Math.min(endsAtMs, nextAtMs));
}

async function lockSeries(tx: Client, seriesId: number): Promise<Series | undefined> {
  const { rows } = await tx.query<Series>(
    `select ${columns} from sale_series where series_id = $1 for update`,
    [seriesId],
  );
  return rows[0];
}

// Index: sale_series_active.
async function readActive(db: Queryable, after: number): Promise<Series[]> {
  const { rows } = await db.query<Series>(
    `select ${columns} from sale_series where status = 'active' and series_id > $1 order by series_id limit $2`,
    [after, seriesPerPageMax],
  );
  return rows;
}

const columns = `series_id as "seriesId", product_id as "productId",
  json_build_object('cron', cron, 'timeZone', time_zone) as recurrence, duration_seconds as "durationSeconds",
  allocation, per_user_limit as "perUserLimit", per_payment_limit as "perPaymentLimit",
  per_address_limit as "perAddressLimit", hold_ttl_seconds as "holdTtlSeconds", payment,
  prize_odds as "prizeOdds", status, created_at as "createdAt", planned_until as "plannedUntil"`;
