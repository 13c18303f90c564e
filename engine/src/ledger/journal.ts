import type { Queryable } from '../platform/postgres.js';
import { awaitStandby, readReplicated } from './await-standby.js';

/** One change of an order's status; `seq` counts the changes of the order from 1. */
export type JournalStep = {
  saleId: number;
  orderId: string;
  seq: number;
  from: string;
  to: string;
  quantity: number;
  reason: string | null;
  at: Date;
};

/** A position in one order's journal: after the step `afterSeq`; 0 is before the first. */
export type JournalPosition = { saleId: number; orderId: string; afterSeq: number };

// More than an order normally has; further steps come with the next read.
const stepsPerOrderMax = 32;

/**
 * Reads what has happened to several orders since those positions, in one statement; each order's steps in their order.
 * The result is as durable as the answer that acknowledged it. Locks: none. Index: journal_pkey, one probe per order.
 *
 * The limit keeps each look-up an index probe. The statement has no name, so it is planned each time: a plan kept from
 * when the journal was small would scan it once per order when it is large.
 */
export async function readSteps(
  db: Queryable,
  positions: readonly JournalPosition[],
): Promise<JournalStep[]> {
  return readReplicated<JournalStep>(db, {
    text: `select step.*, ${awaitStandby} from unnest($1::bigint[], $2::uuid[], $3::smallint[]) as followed (sale_id, order_id, seq)
           cross join lateral (
             select j.sale_id as "saleId", j.order_id as "orderId", j.seq, j.from_status as "from", j.to_status as "to",
                    j.quantity, j.reason, j.at
             from journal j
             where j.sale_id = followed.sale_id and j.order_id = followed.order_id and j.seq > followed.seq
             order by j.seq limit ${stepsPerOrderMax}
           ) step
           order by step."orderId", step.seq`,
    values: [
      positions.map(({ saleId }) => saleId),
      positions.map(({ orderId }) => orderId),
      positions.map(({ afterSeq }) => afterSeq),
    ],
  });
}
