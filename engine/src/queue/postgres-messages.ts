import { randomUUID } from 'node:crypto';
import { onlyRow } from '../platform/only-row.js';
import type { Pool } from '../platform/postgres.js';
import type { Delivery, Depth, QueuedOrder, Settlement } from './order-queue.js';
import { delayMsOf } from './settlements.js';

/** Messages leased together, under one token. */
export type Lease = {
  token: string;
  messageIds: readonly number[];
  deliveries: readonly Delivery[];
  /** When the last of them became available; the next fetch may start there. */
  lastAvailableAt: Date;
};

/** If no message was due: the time until the next one is, as far as is known now. */
export type Fetched = { lease: Lease } | { dueInMs: number | undefined };

/** The statements on `queue_messages`; all their deadlines use the database's clock. */
export type Messages = {
  publish(messages: readonly QueuedOrder[]): Promise<void>;
  /** @param from skips messages that became available before; see lease-messages.sql for what this can miss. */
  fetch(batchMax: number, from: Date | undefined): Promise<Fetched>;
  /** @returns how many of the messages this lease still held; the others stay unchanged. */
  settle(lease: Lease, settlements: readonly Settlement[]): Promise<number>;
  renew(lease: Lease): Promise<void>;
  depth(): Promise<Depth>;
};

export const channel = 'doorbuster_queue';

export function createMessages(pool: Pool, leaseMs: number): Messages {
  return {
    async publish(messages) {
      await pool.query(publishStatement(messages));
      void pool.query(wakeStatement).catch(() => {});
    },
    async fetch(batchMax, from) {
      const token = randomUUID();
      const { rows } = await pool.query<Row>({
        name: 'lease-messages',
        text: 'select * from lease_messages($1, $2, $3, $4)',
        values: [token, leaseMs, batchMax, from ?? '-infinity'],
      });
      return readFetched(token, rows);
    },
    async settle({ token, messageIds }, settlements) {
      const delaysMs = settlements.map(settlement => (settlement === 'done' ? null : delayMsOf(settlement)));
      const areCounted = settlements.map(settlement => settlement === 'done' || 'retryInMs' in settlement);
      const { rows } = await pool.query<{ settled: number }>({
        name: 'settle-messages',
        text: 'select settle_messages($1, $2, $3, $4) as settled',
        values: [token, messageIds, delaysMs, areCounted],
      });
      return rows[0]?.settled ?? 0;
    },
    async renew({ token, messageIds }) {
      // Purpose: hold a batch for another leaseMs. Locks: its rows. Index: queue_messages_pkey.
      // Rare, so it is planned each time for the current size of the table.
      await pool.query(
        `update queue_messages set available_at = clock_timestamp() + $3 * interval '1 millisecond'
         where message_id = any($2::bigint[]) and leased_by = $1`,
        [token, messageIds, leaseMs],
      );
    },
    async depth() {
      const { rows } = await pool.query<Depth>(depthStatement);
      return onlyRow(rows, 'counting the messages');
    },
  };
}

// Purpose: wake the consumers. A separate transaction, which writes nothing: if it also stored the messages, every other
// notifying transaction would wait for its flush. A lost notification delays its message by a second. The payload is one
// that platform/listener.ts can read.
const wakeStatement = { name: 'wake-consumers', text: 'select pg_notify($1, $2)', values: [channel, 'null'] };

// Purpose: store a batch. Locks: none on rows.
function publishStatement(messages: readonly QueuedOrder[]) {
  return {
    name: 'publish-messages',
    text: `insert into queue_messages (order_id, sale_id, shopper_id, quantity, force_fail, traceparent)
           select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::integer[], $5::boolean[], $6::text[])`,
    values: [
      messages.map(({ orderId }) => orderId),
      messages.map(({ saleId }) => saleId),
      messages.map(({ shopperId }) => shopperId),
      messages.map(({ quantity }) => quantity),
      messages.map(({ forceFail = false }) => forceFail),
      // Null without tracing: unnest fills a missing list with nulls.
      messages.some(({ traceparent }) => traceparent) ? messages.map(message => message.traceparent) : null,
    ],
  };
}

// Purpose: count what waits. Locks: none. Index: none; it reads the whole table, whose size is that of the queue.
const depthStatement = {
  name: 'queue-depth',
  text: `select count(*) filter (where available_at <= statement_timestamp()) as ready,
                count(*) filter (where available_at > statement_timestamp() and leased_by is not null) as "inFlight",
                count(*) filter (where available_at > statement_timestamp() and leased_by is null) as delayed,
                coalesce(extract(epoch from statement_timestamp() - min(published_at)
                  filter (where available_at <= statement_timestamp())), 0)::float8 * 1000 as "oldestAgeMs"
         from queue_messages`,
};

type MessageRow = {
  message_id: number;
  order_id: string;
  sale_id: number;
  shopper_id: string;
  quantity: number;
  force_fail: boolean;
  deliveries: number;
  traceparent: string | null;
  was_available_at: Date;
};
type Row = MessageRow | { message_id: null; due_in_ms: number | null };

function readFetched(token: string, rows: readonly Row[]): Fetched {
  const first = onlyRow(rows, 'lease_messages()');
  if (first.message_id === null) return { dueInMs: first.due_in_ms ?? undefined };
  const messages = rows.filter(row => row.message_id !== null);
  return {
    lease: {
      token,
      messageIds: messages.map(row => row.message_id),
      deliveries: messages.map(deliveryOf),
      lastAvailableAt: messages.reduce(
        (last, row) => (row.was_available_at > last ? row.was_available_at : last),
        first.was_available_at,
      ),
    },
  };
}

function deliveryOf(row: MessageRow): Delivery {
  return {
    message: {
      orderId: row.order_id,
      saleId: row.sale_id,
      shopperId: row.shopper_id,
      quantity: row.quantity,
      ...(row.force_fail && { forceFail: true }),
      ...(row.traceparent !== null && { traceparent: row.traceparent }),
    },
    deliveries: row.deliveries,
  };
}
