import { lockStock } from '../ledger/stock.js';
import { type Client, inTransaction, type Pool } from '../platform/postgres.js';
import { settleEach } from '../platform/settle-each.js';
import { announceSales, journalStatus, type SaleStatus } from './sales.js';

/**
 * Tells of sales whose window has begun or is over, each once: a row in the sale's journal, and a notification. A sale
 * that is over also becomes `ended`, as soon as no order that it accepted in time is left to be decided.
 *
 * @returns how many sales were changed; more than none means that there may be more.
 * @throws AggregateError when sales failed (their stock stayed locked); the others are told all the same.
 */
export async function openAndClose(pool: Pool, signal?: AbortSignal): Promise<number> {
  let changed = 0;
  const change = async ({ saleId }: { saleId: number }) => {
    if (await inTransaction(pool, tx => tell(tx, saleId))) changed += 1;
  };
  const { rows } = await pool.query<{ saleId: number }>({
    name: 'sales-to-tell',
    text: `
      select sale_id as "saleId" from (
        (select sale_id from sales where ${isToOpen} order by starts_at limit $1)
        union
        (select sale_id from sales where ${isToClose} and (closed_at is null or ${isDecided}) order by ends_at limit $1)
      ) as due order by sale_id`,
    values: [salesPerPassMax],
  });
  await settleEach(rows, change, signal);
  return changed;
}

const salesPerPassMax = 100;

type Told = {
  productId: number;
  status: SaleStatus;
  isToOpen: boolean;
  isToClose: boolean;
  isTold: boolean;
  isDecided: boolean;
};

// Between two batches, as any change of a sale. A stock that is locked for long must not keep other sales waiting.
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
// Orders are accepted into the queue without a lock. One whose statement began in time may be committed until that
// statement's timeout, which is the same in every process; twice that leaves room for its COMMIT.
const isDecided = `(
  ends_at + 2 * current_setting('statement_timeout')::interval <= clock_timestamp()
  and not exists (select from orders where orders.sale_id = sales.sale_id and orders.status = 'QUEUED'))`;
