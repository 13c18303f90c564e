import { lockStock } from '../ledger/stock.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import { announceSales, journalStatus, type SaleStatus } from './sales.js';

/**
 * Records that a sale's window has begun or is over, each once: with a row in the sale's journal and a notification. A sale
 * that is over also becomes `ended`, as soon as all orders that it accepted in time are decided.
 */
export function createOpenAndClose(pool: Pool): Run {
  return eachItem({
    kind: 'sale',
    keyOf: (saleId: number) => saleId,
    find: (except, limit) => findSalesToTell(pool, except, limit),
    roundMax: 100,
    work: async saleId => ((await inTransaction(pool, tx => tell(tx, saleId))) ? 1 : 0),
  });
}

async function findSalesToTell(db: Queryable, except: readonly number[], limit: number): Promise<number[]> {
  const { rows } = await db.query<{ saleId: number }>({
    name: 'sales-to-tell',
    text: `
      with due as (
        (select sale_id, starts_at as at from sales where ${isToOpen} and sale_id <> all ($1) order by starts_at limit $2)
        union all
        (select sale_id, ends_at from sales
         where ${isToClose} and (closed_at is null or ${isDecided}) and sale_id <> all ($1) order by ends_at limit $2)
      )
      select sale_id as "saleId" from due group by sale_id order by min(at), sale_id limit $2`,
    values: [except, limit],
  });
  return rows.map(({ saleId }) => saleId);
}

type Told = {
  productId: number;
  status: SaleStatus;
  isToOpen: boolean;
  isToClose: boolean;
  isTold: boolean;
  isDecided: boolean;
};

// Between two batches, like any change of a sale. A stock row that is locked for long must not delay other sales.
async function tell(tx: Client, saleId: number): Promise<boolean> {
  await tx.query(`set local lock_timeout = '1s'`);
  await lockStock(tx, saleId);
  const { rows } = await tx.query<Told>(
    `select product_id as "productId", status, ${isToOpen} as "isToOpen", ${isToClose} as "isToClose",
            closed_at is not null as "isTold", ${isDecided} as "isDecided"
     from sales where sale_id = $1`,
    [saleId],
  );
  const [sale] = rows;
  if (!sale?.isToOpen && !sale?.isToClose) return false;
  const phase = sale.status === 'paused' ? 'paused' : 'open';
  if (sale.isToOpen) await journalStatus(tx, saleId, 'upcoming', phase);
  if (sale.isToClose && !sale.isTold) await journalStatus(tx, saleId, phase, 'ended');
  const { rowCount } = await tx.query(
    `update sales
     set opened_at = coalesce(opened_at, clock_timestamp()),
         closed_at = case when $2 then coalesce(closed_at, clock_timestamp()) end,
         status = case when $2 and $3 then 'ended' else status end
     where sale_id = $1 and ($4 or ($2 and (closed_at is null or $3)))`,
    [saleId, sale.isToClose, sale.isDecided, sale.isToOpen],
  );
  if (rowCount === 0) return false;
  await announceSales(tx, sale.productId);
  return true;
}

// Indexes: sales_to_open, sales_to_close, orders_queued_by_sale.
const isToOpen = `(opened_at is null and status <> 'ended' and starts_at <= clock_timestamp())`;
const isToClose = `(status <> 'ended' and ends_at <= clock_timestamp())`;
// Orders are accepted into the queue without a lock. If the statement began in time, it may commit until its timeout, which
// is the same in every process; twice that leaves room for the COMMIT.
const isDecided = `(
  ends_at + 2 * current_setting('statement_timeout')::interval <= clock_timestamp()
  and not exists (select from orders where orders.sale_id = sales.sale_id and orders.status = 'QUEUED'))`;
