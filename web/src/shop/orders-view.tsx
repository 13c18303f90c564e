'use client';

import type { Attempt, Order } from '../api/client';
import { ActionLink } from '../ui/action';
import { money } from '../ui/format';
import { Notice } from '../ui/notice';
import { PlainLink } from '../ui/plain-link';
import { When } from '../ui/when';
import { statusWord } from './status-word';
import { useOrders, useRefusedAttempts } from './use-orders';
import { wordsFor } from './words';

/** What is in my name, and why the rest is not. */
export function OrdersView() {
  const { data: orders, isError } = useOrders();
  const { data: attempts } = useRefusedAttempts();
  if (!orders) return isError ? <Unreadable /> : <Waiting />;
  return (
    <div className="flex flex-col gap-14">
      {orders.length === 0 ? <NoOrders /> : <OrderList orders={orders} />}
      {attempts && attempts.length > 0 && <RefusedAttempts attempts={attempts} />}
    </div>
  );
}

function OrderList({ orders }: { orders: readonly Order[] }) {
  return (
    <ul className="border-t-2 border-ink">
      {orders.map(order => (
        <li
          key={order.id}
          className="relative flex flex-wrap items-baseline gap-x-6 gap-y-1 border-b border-rule py-5 hover:bg-surface"
        >
          <h2 className="basis-64 grow text-lead">
            <PlainLink
              href={`/orders/${order.id}`}
              className="after:absolute after:inset-0 hover:underline underline-offset-4"
            >
              {order.quantity} × {order.productName}
            </PlainLink>
          </h2>
          <p className="basis-40 text-muted">
            <When iso={order.createdAt} />
          </p>
          <p className="basis-32 font-bold" data-testid="status">
            {statusWord(order)}
          </p>
          <p className="figures ml-auto min-w-20 text-right">
            {money(order.totalPriceMinor, order.currency)}
          </p>
        </li>
      ))}
    </ul>
  );
}

// The latest say what a person wonders about.
const shownMax = 10;

function RefusedAttempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <section>
      <h2 className="text-title">What did not work, and why</h2>
      <ul className="mt-4 flex flex-col gap-4">
        {attempts.slice(0, shownMax).map(attempt => (
          <li key={`${attempt.at} ${attempt.orderId}`} className="max-w-(--measure)">
            <p className="font-bold">
              <PlainLink href={`/drops/${attempt.productId}`} className="underline underline-offset-4">
                {wordsFor(slugOf(attempt)).title}
              </PlainLink>{' '}
              <span className="font-normal text-muted">
                <When iso={attempt.at} />
              </span>
            </p>
            <p className="text-muted">{attempt.message}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Two outcomes are refused under another name than they are kept under. */
function slugOf({ outcome }: Attempt): string {
  if (outcome === 'unknown') return 'outcome-unknown';
  return outcome === 'key-reused' ? 'idempotency-key-reused' : outcome;
}

function NoOrders() {
  return (
    <div>
      <p className="mb-6 max-w-(--measure) text-lead text-muted">
        Nothing is in your name yet. What you buy, hold or queue for stays on this page for seven days.
      </p>
      <ActionLink href="/">See the drops</ActionLink>
    </div>
  );
}

function Unreadable() {
  return (
    <Notice tone="bad" title="Your orders can not be shown right now" isUrgent>
      They are safe. This page asks again by itself as soon as you are back online.
    </Notice>
  );
}

function Waiting() {
  return (
    <div aria-busy="true" className="flex flex-col gap-3">
      <p role="status" className="sr-only">
        Loading
      </p>
      <div className="h-16 rounded-base bg-rule" />
      <div className="h-16 rounded-base bg-rule" />
    </div>
  );
}
