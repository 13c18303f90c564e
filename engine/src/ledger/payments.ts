import type { Queryable } from '../platform/postgres.js';
import { awaitStandby, readReplicated } from './await-standby.js';
import type { OrderStatus } from './order-record.js';

/** A payment with the state of its order. */
export type Payment = {
  paymentId: string;
  saleId: number;
  orderId: string;
  amountMinor: number;
  currency: string;
  method: string | null;
  /** PENDING: the provider's outcome is not known. REFUND_DUE: the money must be refunded. */
  status: 'PENDING' | 'CAPTURED' | 'DECLINED' | 'CANCELLED' | 'REFUND_DUE' | 'REFUNDED';
  reference: string | null;
  capturedMinor: number;
  tries: number;
  orderStatus: OrderStatus;
  /** Whether the hold that the payment is for has not lapsed. */
  isHeld: boolean;
};

/** A payment about which the provider must be asked. */
export type DuePayment = Payment & { status: 'PENDING' | 'REFUND_DUE' };

/**
 * Takes due payments, without those in `except`, oldest first, at most `limit`, and postpones each by `againInMs`. If the
 * process that took one dies, another takes it after that. Two concurrent calls take different payments.
 */
export async function takeDuePayments(
  db: Queryable,
  except: readonly string[],
  limit: number,
  againInMs: number,
): Promise<DuePayment[]> {
  const { rows } = await db.query<DuePayment>({
    name: 'take-due-payments',
    text: `with due as (
             select payment_id from payments
             where due_at <= clock_timestamp() and payment_id <> all ($3) order by due_at limit $1 for update skip locked
           ), taken as (
             update payments p set due_at = clock_timestamp() + $2 * interval '1 millisecond', tries = p.tries + 1
             from due where p.payment_id = due.payment_id
             returning p.*
           )
           select ${columns} from taken p join orders o on o.sale_id = p.sale_id and o.order_id = p.order_id`,
    values: [limit, againInMs, except],
  });
  return rows;
}

/** The payment with this id, undefined if there is none. The synchronous standbys have it, so it is safe to act on it. */
export async function readPayment(db: Queryable, paymentId: string): Promise<Payment | undefined> {
  const rows = await readReplicated<Payment>(db, {
    name: 'read-payment',
    text: `select ${columns}, ${awaitStandby} from payments p join orders o on o.sale_id = p.sale_id and o.order_id = p.order_id
           where p.payment_id = $1`,
    values: [paymentId],
  });
  return rows[0];
}

/** Sets when the reconciler next asks about a payment. `null`: not until an operator replays it. */
export async function postponePayment(db: Queryable, paymentId: string, inMs: number | null): Promise<void> {
  await db.query({
    name: 'postpone-payment',
    text: `update payments
           set due_at = case when $2::float8 is null then 'infinity'
                             else clock_timestamp() + $2::float8 * interval '1 millisecond' end
           where payment_id = $1 and due_at is not null`,
    values: [paymentId, inMs],
  });
}

const columns = `p.payment_id as "paymentId", p.sale_id as "saleId", p.order_id as "orderId",
  p.amount_minor as "amountMinor", p.currency, p.method, p.status, p.reference, p.captured_minor as "capturedMinor",
  p.tries, o.status as "orderStatus",
  o.status = 'RESERVED' and o.expires_at > clock_timestamp() as "isHeld"`;
