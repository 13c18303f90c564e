import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import { type Client, inTransaction, type Pool } from '../platform/postgres.js';

// Longer than any transaction that writes the journal takes. If one took longer, its sale's sum does not match the stock,
// and the sale is summed from the beginning.
const marginMs = 30_000;
// Enough to sum a sale of about ten million orders from the beginning.
const timeoutMs = 60_000;

/**
 * Brings the sums of `sold_by_hour` up to date. A sale's changes are made one after the other under its stock row's lock
 * and get their time under it, so its journal grows in order of time: new rows are those after the last summed row. A sum
 * is kept only if its units equal the units sold in the same snapshot. Sales for which they differ (for example after a
 * clock was set back) are the items of this job; each is summed from the beginning.
 */
export function createSumSold(pool: Pool): Run {
  return eachItem({
    kind: 'sale',
    keyOf: (saleId: number) => saleId,
    find: (except, limit) => inTransaction(pool, tx => sumNew(tx, except, limit)),
    roundMax: 100,
    work: saleId => sumAnew(pool, saleId),
  });
}

// The locked row keeps two processes from summing the same rows; no transaction that holds a lock of a sale takes it. A
// separate statement locks it, so that the next statement's snapshot is younger than the lock.
async function begin(tx: Client): Promise<Date> {
  // Index scans, whatever the statistics say about these fast-growing tables: the journal by time or by sale, an order by
  // its key.
  await tx.query(`set local enable_seqscan = off; set local statement_timeout = ${timeoutMs}`);
  const { rows } = await tx.query<{ at: Date }>('select at from sold_summed_at for update');
  const [row] = rows;
  if (!row) throw new Error('sold_summed_at has no row');
  return new Date(row.at.getTime() - marginMs);
}

// If an order was confirmed when it was made, its first row has the time; for other orders it is looked up, one by one.
const hourOf = (row: string) => `date_trunc('hour', case when ${row}.seq = 1 then ${row}.at else (
  select created_at from orders o where o.sale_id = ${row}.sale_id and o.order_id = ${row}.order_id) end, 'UTC')`;

/** @param journal the rows to sum. */
const soldIn = (journal: string) => `
  bought as materialized (${journal}), sold as materialized (
    select b.sale_id, ${hourOf('b')} as hour, b.quantity, b.at, p.price_minor
    from changed c join bought b on b.sale_id = c.sale_id and b.at > c.up_to join sales p on p.sale_id = c.sale_id
  ), complete as materialized (
    select sale_id, c.sold, max(s.at) as up_to
    from changed c join sold s using (sale_id) group by sale_id, c.sold, c.units
    having c.units + sum(s.quantity) = c.sold
  ), summed as (
    insert into sold_by_hour (sale_id, hour, orders, units, revenue_minor)
    select sale_id, hour, count(*), sum(quantity), sum(quantity * price_minor)
    from sold join complete using (sale_id) group by sale_id, hour
    on conflict (sale_id, hour) do update
    set orders = sold_by_hour.orders + excluded.orders, units = sold_by_hour.units + excluded.units,
        revenue_minor = sold_by_hour.revenue_minor + excluded.revenue_minor
  ), noted as (
    insert into sold_summed (sale_id, units, up_to) select sale_id, sold, up_to from complete
    on conflict (sale_id) do update set units = excluded.units, up_to = excluded.up_to
  )`;

/** @returns sales that must be summed from the beginning. Indexes: journal_by_time, orders_pkey. */
async function sumNew(tx: Client, except: readonly number[], limit: number): Promise<number[]> {
  const since = await begin(tx);
  const statement = {
    name: 'sum-new-sold',
    text: `
      with changed as materialized (
        select s.sale_id, s.sold, coalesce(m.units, 0) as units, coalesce(m.up_to, '-infinity') as up_to
        from stock s left join sold_summed m using (sale_id) where s.sold <> coalesce(m.units, 0)
      ), ${soldIn(`select * from journal where at > $3 and to_status = 'CONFIRMED' and exists (select from changed)`)}, moved as (
        update sold_summed_at set at = statement_timestamp() where exists (select from changed)
      )
      select sale_id as "saleId" from changed
      where sale_id not in (select sale_id from complete) and sale_id <> all ($1) order by sale_id limit $2`,
    values: [except, limit, since],
    query_timeout: timeoutMs + 1000,
  };
  const { rows } = await tx.query<{ saleId: number }>(statement);
  return rows.map(({ saleId }) => saleId);
}

/**
 * Reads the whole sale first, and takes the lock only to write: orders made meanwhile come after `upTo`.
 *
 * @throws if the journal of a sale and its stock disagree, which the audit also finds. Indexes: journal_pkey, orders_pkey.
 */
async function sumAnew(pool: Pool, saleId: number): Promise<number> {
  const whole = await inTransaction(pool, tx => readWhole(tx, saleId));
  if (!whole) throw new Error(`the journal of sale ${saleId} and its stock disagree on what is sold`);
  await inTransaction(pool, async tx => {
    await begin(tx);
    await tx.query('delete from sold_by_hour where sale_id = $1', [saleId]);
    await tx.query(
      `insert into sold_by_hour (sale_id, hour, orders, units, revenue_minor)
       select $1, hour, orders, units, revenue_minor
       from jsonb_to_recordset($2) as h (hour timestamptz, orders bigint, units bigint, revenue_minor bigint)`,
      [saleId, JSON.stringify(whole.hours)],
    );
    await tx.query(
      `insert into sold_summed (sale_id, units, up_to) values ($1, $2, $3::timestamptz)
       on conflict (sale_id) do update set units = excluded.units, up_to = excluded.up_to`,
      [saleId, whole.units, whole.upTo],
    );
  });
  return 1;
}

type Whole = { units: number; upTo: string; hours: unknown };

async function readWhole(tx: Client, saleId: number): Promise<Whole | undefined> {
  await tx.query(`set local statement_timeout = ${timeoutMs}`);
  const statement = {
    text: `
      with sold as (
        select ${hourOf('j')} as hour, count(*) as orders,
               sum(j.quantity) as units, sum(j.quantity * p.price_minor) as revenue_minor, max(j.at) as up_to
        from journal j join sales p using (sale_id)
        where j.sale_id = $1 and j.to_status = 'CONFIRMED' group by 1
      )
      select sum(h.units)::bigint as units, max(h.up_to)::text as "upTo", jsonb_agg(h) as hours
      from sold h having sum(h.units) = (select sold from stock where sale_id = $1)`,
    values: [saleId],
    query_timeout: timeoutMs + 1000,
  };
  const { rows } = await tx.query<Whole>(statement);
  return rows[0];
}
