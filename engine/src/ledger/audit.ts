import { onlyRow } from '../platform/only-row.js';
import { type Client, inTransaction, type Pool } from '../platform/postgres.js';
import { invariants } from './invariants.js';
import { readAllStock, type Stock } from './stock.js';

/** `violations` counts the rows that break the invariant; `ok` means that no invariant is broken. */
export type AuditReport = { ok: boolean; invariants: InvariantResult[] };
export type InvariantResult = { id: number; title: string; violations: number };

/** An order that a shopper was told about, as the load generator's journal keeps it. */
export type Acknowledged = { orderId: string; shopperId: string; quantity: number };

// An audit reads a year of orders in minutes; one that takes longer than this is stuck.
const auditTimeoutMs = 3_600_000;
const acknowledgedPerQueryMax = 50_000;

export type AuditOptions = {
  /** Orders that were answered as confirmed, for invariant 7. */
  acknowledged?: readonly Acknowledged[];
  /** In how many sales a gate disagrees with the ledger, for invariant 14; 0 if there is no gate to ask. */
  countDisagreements?: (stocks: readonly Stock[]) => Promise<number>;
  /** Called after each invariant, for progress. */
  onInvariant?: (result: InvariantResult) => void;
};

/**
 * Proves the promises from the database alone, in one snapshot, so that it never sees part of a later commit. Takes no
 * lock that a purchase could wait for.
 */
export async function runAudit(pool: Pool, options: AuditOptions = {}): Promise<AuditReport> {
  const results = await inTransaction(
    pool,
    async tx => {
      await tx.query(`set local statement_timeout = ${auditTimeoutMs}`);
      // A dropped partition disappears even from older snapshots, which would still look for its rows. This lock keeps
      // every partition from before the snapshot, which the next statement takes.
      await tx.query('lock table attempts in access share mode');
      const checked: InvariantResult[] = [];
      for (const { id, title, sql } of invariants) {
        const violations = sql === null ? await compare(tx, id, options) : await countRows(tx, sql);
        checked.push({ id, title, violations });
        options.onInvariant?.({ id, title, violations });
      }
      return checked;
    },
    'begin isolation level repeatable read read only',
  );
  return { ok: results.every(({ violations }) => violations === 0), invariants: results };
}

async function compare(
  tx: Client,
  id: number,
  { acknowledged = [], countDisagreements }: AuditOptions,
): Promise<number> {
  if (id === 7) return countLost(tx, acknowledged);
  return countDisagreements ? countDisagreements(await readAllStock(tx)) : 0;
}

async function countRows(tx: Client, sql: string): Promise<number> {
  const query = {
    text: `select count(*) as violations from (${sql}) as broken`,
    query_timeout: auditTimeoutMs,
  };
  const { rows } = await tx.query<{ violations: number }>(query);
  return onlyRow(rows, 'a count').violations;
}

async function countLost(tx: Client, acknowledged: readonly Acknowledged[]): Promise<number> {
  let lost = 0;
  for (let from = 0; from < acknowledged.length; from += acknowledgedPerQueryMax) {
    const part = acknowledged.slice(from, from + acknowledgedPerQueryMax);
    const { rows } = await tx.query<{ lost: number }>(
      `select count(*) as lost
       from unnest($1::uuid[], $2::text[], $3::integer[]) as a (order_id, shopper_id, quantity)
       left join orders o on o.order_id = a.order_id and o.shopper_id = a.shopper_id and o.quantity = a.quantity
       where o.order_id is null`,
      [
        part.map(order => order.orderId),
        part.map(order => order.shopperId),
        part.map(order => order.quantity),
      ],
    );
    lost += rows[0]?.lost ?? 0;
  }
  return lost;
}
