import { allocateStock, lockStock } from '../ledger/stock.js';
import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import type { Recurrence } from './recurrence.js';

/** A product offered in a time window. Times are the database's; the price is fixed when the sale is created. */
export type Sale = {
  saleId: number;
  productId: number;
  startsAt: Date;
  endsAt: Date;
  perUserLimit: number;
  /** Maximum units for one payment fingerprint, and for one address; null if the sale does not count by it. */
  perPaymentLimit: number | null;
  perAddressLimit: number | null;
  priceMinor: number;
  currency: string;
  holdTtlSeconds: number;
  payment: Payment;
  /** One purchase in this many wins; null without a prize. */
  prizeOdds: number | null;
  /** The maximum number of values that a browser has to try before it may buy; null without a challenge. */
  challenge: number | null;
  /** Whether a purchase needs a token that was available only before the sale opened. */
  requiresToken: boolean;
  status: SaleStatus;
  /** The series of this sale, and how it repeats; null for a sale that does not repeat. */
  seriesId: number | null;
  recurrence: Recurrence | null;
};

export type SaleStatus = 'active' | 'paused' | 'ended';
/** The phase of a sale by the database's clock. */
export type SalePhase = 'upcoming' | 'open' | 'paused' | 'ended';
export type Payment = 'none' | 'required';

export type NewSale = {
  productId: number;
  startsAt: Date;
  endsAt: Date;
  allocation: number;
  perUserLimit: number;
  holdTtlSeconds: number;
  payment?: Payment | undefined;
  prizeOdds?: number | null | undefined;
  perPaymentLimit?: number | null | undefined;
  perAddressLimit?: number | null | undefined;
  challenge?: number | null | undefined;
  requiresToken?: boolean | undefined;
  seriesId?: number | undefined;
};

export type CreatedSale =
  | { outcome: 'created'; sale: Sale }
  | { outcome: 'product-not-found' | 'sale-overlaps' };

/** Creates a sale at the product's current price, with its stock and the first row of its journal. */
export async function createSale(pool: Pool, sale: NewSale): Promise<CreatedSale> {
  return inTransaction(pool, tx => insertSale(tx, sale));
}

/** Like createSale, within the caller's transaction. */
export async function insertSale(tx: Client, sale: NewSale): Promise<CreatedSale> {
  // The conflict is with sales_do_not_overlap; this waits for a concurrent transaction that is adding such a sale.
  const { rows } = await tx.query<Sale>(
    `insert into sales (product_id, starts_at, ends_at, per_user_limit, price_minor, currency, hold_ttl_seconds,
                        payment, prize_odds, series_id, challenge, requires_token, per_payment_limit, per_address_limit)
     select product_id, $2, $3, $4, price_minor, currency, $5, $6, $7, $8, $9, $10, $11, $12 from products where product_id = $1
     on conflict do nothing
     returning ${saleColumns}`,
    [
      sale.productId,
      sale.startsAt,
      sale.endsAt,
      sale.perUserLimit,
      sale.holdTtlSeconds,
      sale.payment ?? 'none',
      sale.prizeOdds ?? null,
      sale.seriesId ?? null,
      sale.challenge ?? null,
      sale.requiresToken ?? false,
      sale.perPaymentLimit ?? null,
      sale.perAddressLimit ?? null,
    ],
  );
  const [created] = rows;
  if (!created)
    return { outcome: (await isProduct(tx, sale.productId)) ? 'sale-overlaps' : 'product-not-found' };
  await allocateStock(tx, created.saleId, sale.allocation);
  await journalStatus(tx, created.saleId, 'new', created.status);
  await announceSales(tx, created.productId);
  return { outcome: 'created', sale: created };
}

const allowedFrom: Record<SaleStatus, readonly SaleStatus[]> = {
  paused: ['active'],
  active: ['paused'],
  ended: ['active', 'paused'],
};

export type ChangedSale = { outcome: 'changed'; sale: Sale } | { outcome: 'sale-not-found' | 'sale-ended' };

/**
 * Pauses, resumes or ends a sale, between two batches: after this resolves, no purchase is decided under the old status.
 * A sale that already has the status does not change.
 */
export async function changeSaleStatus(pool: Pool, saleId: number, to: SaleStatus): Promise<ChangedSale> {
  return inTransaction(pool, tx => setSaleStatus(tx, saleId, to));
}

/** Like changeSaleStatus, within the caller's transaction; the sale's stock row stays locked until that ends. */
export async function setSaleStatus(tx: Client, saleId: number, to: SaleStatus): Promise<ChangedSale> {
  if (!(await lockStock(tx, saleId))) return { outcome: 'sale-not-found' };
  const { rows } = await tx.query<Sale>(`select ${saleColumns} from sales where sale_id = $1`, [saleId]);
  const [before] = rows;
  if (!before) return { outcome: 'sale-not-found' };
  if (before.status === to) return { outcome: 'changed', sale: before };
  if (!allowedFrom[to].includes(before.status)) return { outcome: 'sale-ended' };
  const changed = await tx.query('update sales set status = $2 where sale_id = $1 and status = $3', [
    saleId,
    to,
    before.status,
  ]);
  if (changed.rowCount !== 1) throw new Error(`sale ${saleId} changed under its stock lock`);
  await journalStatus(tx, saleId, before.status, to);
  await announceSales(tx, before.productId);
  return { outcome: 'changed', sale: { ...before, status: to } };
}

// A retry right after the end of its sale waits in the ledger behind a first try that is still committing there; no
// statement lasts longer than this.
export const retryDoubtMs = 15_000;

/**
 * The products' sales that are not over, of each product the latest sale that is over, and any whose window ended so lately
 * that a purchase may still be about to COMMIT there; by product and start. (The latest may be one that was to last longer
 * but was ended early.)
 */
export async function readSales(db: Queryable, productIds: readonly number[]): Promise<Sale[]> {
  const { rows } = await db.query<Sale>({
    name: 'read-sales',
    text: `
      select s.* from unnest($1::bigint[]) as p (product_id) cross join lateral (
        (select ${saleColumns} from sales
         where product_id = p.product_id and status <> 'ended' and ends_at > clock_timestamp()
         order by starts_at limit $2)
        union all
        (select ${saleColumns} from sales where sale_id in (
           (select sale_id from sales
            where product_id = p.product_id and (status = 'ended' or ends_at <= clock_timestamp())
            order by ends_at desc limit 1)
           union
           select sale_id from sales
           where product_id = p.product_id and ends_at <= clock_timestamp()
             and ends_at > clock_timestamp() - make_interval(secs => $3)
         ))
      ) s order by s."productId", s."startsAt"`,
    values: [productIds, salesAheadMax, retryDoubtMs / 1000],
  });
  return rows;
}

// An hourly sale for a day; the calendar reads again long before these have passed.
const salesAheadMax = 24;

/** Journals a change of the sale's status. The caller has locked its stock row, or is creating it. */
export async function journalStatus(
  tx: Client,
  saleId: number,
  from: SaleStatus | SalePhase | 'new',
  to: SaleStatus | SalePhase,
): Promise<void> {
  await tx.query(
    `insert into sale_journal (sale_id, seq, from_status, to_status)
     select $1, coalesce(max(seq), 0) + 1, $2, $3 from sale_journal where sale_id = $1`,
    [saleId, from, to],
  );
}

/** Tells every process, after COMMIT, to read the product's sales again. */
export async function announceSales(tx: Client, productId: number): Promise<void> {
  await tx.query(`select pg_notify('doorbuster_catalog', $1)`, [JSON.stringify({ productId })]);
}

async function isProduct(tx: Client, productId: number): Promise<boolean> {
  const { rowCount } = await tx.query('select from products where product_id = $1', [productId]);
  return rowCount === 1;
}

/** Columns of the table `sales`, which the query must not alias. */
export const saleColumns = `sale_id as "saleId", product_id as "productId", starts_at as "startsAt", ends_at as "endsAt",
  per_user_limit as "perUserLimit", price_minor as "priceMinor", currency, hold_ttl_seconds as "holdTtlSeconds",
  per_payment_limit as "perPaymentLimit", per_address_limit as "perAddressLimit",
  payment, prize_odds as "prizeOdds", challenge,
  requires_token as "requiresToken", status, series_id as "seriesId",
  (select json_build_object('cron', series.cron, 'timeZone', series.time_zone)
   from sale_series series where series.series_id = sales.series_id) as recurrence`;
