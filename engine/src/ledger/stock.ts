import type { Client, Queryable } from '../platform/postgres.js';

/** Units of a sale. `allocation = available + reserved + sold` at every instant; `version` grows with each change. */
export type Stock = {
  saleId: number;
  allocation: number;
  available: number;
  reserved: number;
  sold: number;
  version: number;
};

/** What the ledger's functions return of the stock: that of the one sale they were called for. */
export type StockColumns = Omit<Stock, 'saleId'>;

/** The stock in a row that has other columns as well. */
export function stockFrom(saleId: number, row: StockColumns): Stock {
  const { allocation, available, reserved, sold, version } = row;
  return { saleId, allocation, available, reserved, sold, version };
}

/** Creates the stock row of a new sale. Part of the transaction that creates the sale. */
export async function allocateStock(tx: Client, saleId: number, allocation: number): Promise<void> {
  await tx.query('insert into stock (sale_id, allocation, available) values ($1, $2, $2)', [
    saleId,
    allocation,
  ]);
}

/**
 * Takes the lock under which every decision of the sale is made, so that the rest of this transaction (a pause, an end)
 * falls between two batches, never into one.
 *
 * @returns false if there is no such sale.
 */
export async function lockStock(tx: Client, saleId: number): Promise<boolean> {
  const { rowCount } = await tx.query('select from stock where sale_id = $1 for update', [saleId]);
  return rowCount === 1;
}

/** Reads the stock of several sales at once, in one index scan. */
export async function readStock(db: Queryable, saleIds: readonly number[]): Promise<Stock[]> {
  const { rows } = await db.query<Stock>({
    name: 'read-stock',
    text: `select sale_id as "saleId", allocation, available, reserved, sold, version
           from stock where sale_id = any ($1::bigint[])`,
    values: [saleIds],
  });
  return rows;
}

/** The stock of every sale, for the audit. */
export async function readAllStock(db: Queryable): Promise<Stock[]> {
  const { rows } = await db.query<Stock>(
    'select sale_id as "saleId", allocation, available, reserved, sold, version from stock',
  );
  return rows;
}
