import type { Queryable } from '../platform/postgres.js';
import { awaitStandby, readReplicated } from './await-standby.js';

/** One try to buy as it is stored; `answeredAt` is the database's time. */
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

/** What is not given is not asked for. `from` is inclusive, `to` is not. */
export type AttemptFilter = {
  saleId?: number | undefined;
  productId?: number | undefined;
  shopperId?: string | undefined;
  orderId?: string | undefined;
  outcome?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

/** Where a page ended: an attempt's time, and its place in its table. */
export type AttemptCursor = { answeredAtUs: number; place: string };

type AttemptRange = { after?: AttemptCursor | undefined; limit: number; isAnswer?: boolean };

export type AttemptPage = { attempts: StoredAttempt[]; next: AttemptCursor | null };

/**
 * Attempts that fit the filter, newest first, at most `limit`, older than `after`.
 *
 * Attempts have no key, and hundreds share a moment, so that a page ends at a place: rows are written once and stay
 * where they are. (Only a row that moves out of the default partition, in the moment between two pages that meet at its
 * very microsecond, can be missed or seen twice.)
 *
 * With `isAnswer` what is found is as durable as the answer to each attempt was; an operator sees the rest as well.
 *
 * Indexes, in every partition of the time asked for: attempts_by_shopper where there is a shopper, else attempts_by_sale.
 * Without a sale the newest of each sale are read, a look-up for each sale and partition, so give a `from`. An index that
 * leads with time would be paid for by every refusal (docs/decisions/0006). The statement has no name, and so is planned
 * for the filters of each call; with a name PostgreSQL might settle for one plan that suits all of them, a full scan.
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

/** How many attempts at a sale had which outcome. Index: attempts_by_sale. */
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
