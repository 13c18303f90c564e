import type { Queryable } from '../platform/postgres.js';
import { awaitStandby, readReplicated } from './await-standby.js';

/** One attempt to buy as it is stored; `answeredAt` is the database's time. */
export type StoredAttempt = {
  saleId: number | null;
  productId: number;
  shopperId: string;
  orderId: string | null;
  quantity: number;
  outcome: string;
  answeredAt: Date;
  durationUs: number;
};

/** Omitted fields do not filter. `from` is inclusive, `to` is exclusive. */
export type AttemptFilter = {
  saleId?: number | undefined;
  productId?: number | undefined;
  shopperId?: string | undefined;
  orderId?: string | undefined;
  outcome?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

/** Where a page ended: an attempt's time, and its position in its table. */
export type AttemptCursor = { answeredAtUs: number; place: string };

type AttemptRange = { after?: AttemptCursor | undefined; limit: number; isAnswer?: boolean };

export type AttemptPage = { attempts: StoredAttempt[]; next: AttemptCursor | null };

/**
 * Attempts that match the filter, newest first, at most `limit`, older than `after`.
 *
 * Attempts have no key, and hundreds share a moment, so a page ends at a physical position: rows are written once and stay
 * in place. (One exception: a row that moves out of the default partition between two pages that meet at its exact
 * microsecond can be missed or seen twice.)
 *
 * With `isAnswer`, the result is as durable as the answer to each attempt; an operator also sees the rest.
 *
 * Indexes, in every partition of the requested time: attempts_by_shopper if a shopper is given, else attempts_by_sale.
 * Without a sale, the newest attempts of each sale are read, with one look-up per sale and partition, so give a `from`.
 * Every refusal would pay for an index that leads with time (docs/decisions/0006). The statement has no name, so it is
 * planned for the filters of each call; with a name PostgreSQL might choose one plan for all of them, a full scan.
 */
export async function listAttempts(
  db: Queryable,
  filter: AttemptFilter,
  { after, limit, isAnswer = false }: AttemptRange,
): Promise<AttemptPage> {
  const isOfOne = filter.saleId !== undefined || filter.shopperId !== undefined;
  const rows = await readReplicated<StoredAttempt & AttemptCursor>(db, {
    text: `select sale_id as "saleId", product_id as "productId", shopper_id as "shopperId", order_id as "orderId",
            quantity, outcome, answered_at as "answeredAt", duration_us as "durationUs",
            (extract(epoch from answered_at) * 1000000)::bigint as "answeredAtUs", place::text${isAnswer ? `, ${awaitStandby}` : ''}
     from (${isOfOne ? newest('true') : newestOfEachSale}) page
     order by page.answered_at desc, page.place desc limit $10`,
    values: [
      filter.saleId,
      filter.productId,
      filter.shopperId,
      filter.orderId,
      filter.outcome,
      filter.from,
      filter.to,
      after?.answeredAtUs,
      after?.place,
      limit,
    ],
  });
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    attempts: rows.map(({ answeredAtUs: _, place: __, ...attempt }) => attempt),
    next: last ? { answeredAtUs: last.answeredAtUs, place: last.place } : null,
  };
}

const newest = (condition: string) => `
  select *, ctid as place from attempts
  where ${condition}
    and ($1::bigint is null or sale_id = $1)
    and ($2::bigint is null or product_id = $2)
    and ($3::text is null or shopper_id = $3)
    and ($4::uuid is null or order_id = $4)
    and ($5::text is null or outcome = $5)
    and ($6::timestamptz is null or answered_at >= $6)
    and ($7::timestamptz is null or answered_at < $7)
    and ($8::float8 is null or answered_at <= to_timestamp($8 / 1000000))
    and ($8::float8 is null or (answered_at, ctid) < (to_timestamp($8 / 1000000), $9::tid))
  order by answered_at desc, ctid desc limit $10`;

const newestOfEachSale = `
  select of_sale.* from sales cross join lateral (${newest('sale_id = sales.sale_id')}) of_sale
  union all
  (${newest('sale_id is null')})`;

/** Counts a sale's attempts by outcome. Index: attempts_by_sale. */
export async function countAttempts(
  db: Queryable,
  saleId: number,
): Promise<{ outcome: string; attempts: number }[]> {
  const { rows } = await db.query<{ outcome: string; attempts: number }>({
    name: 'count-attempts',
    text: `select outcome, count(*) as attempts from attempts where sale_id = $1 group by outcome order by outcome`,
    values: [saleId],
  });
  return rows;
}
