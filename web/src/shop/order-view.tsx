'use client';

import { isOpen } from '@doorbuster/client';
import type { Order } from '../api/client';
import { Action, ActionLink } from '../ui/action';
import { money } from '../ui/format';
import { Picture } from '../ui/picture';
import { When } from '../ui/when';
import { CancelHold } from './cancel-hold';
import { Checkout } from './checkout';
import { wordsForEnd } from './ended-words';
import { useDrop } from './use-drop';
import { useEndedOrder } from './use-ended-order';
import { useOrder } from './use-orders';
import { wordsFor } from './words';

/** An order from its first moment to its receipt, on one address that survives every reload. */
export function OrderView({ id }: { id: string }) {
  const { data: order, isError, refetch } = useOrder(id);
  useEndedOrder(order === 'unknown' ? undefined : order);
  if (order === undefined) {
    return isError ? <Unreadable onAgain={() => void refetch()} /> : <Waiting />;
  }
  if (order === 'unknown') return <Unknown />;
  return (
    <div className="grid gap-x-12 gap-y-10 md:grid-cols-12">
      <div className="md:col-span-7" aria-live="polite">
        <Standing order={order} />
      </div>
      <Slip order={order} />
    </div>
  );
}

function Standing({ order }: { order: Order }) {
  switch (order.status) {
    case 'QUEUED':
      return <Queued order={order} />;
    case 'RESERVED':
      return <Checkout order={order} />;
    case 'CONFIRMED':
      return <Bought order={order} />;
    default:
      return <Ended order={order} />;
  }
}

function Queued({ order }: { order: Order }) {
  return (
    <>
      <h1 className="text-headline">In the queue.</h1>
      <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">
        Your order is kept and will be decided in turn. This page changes by itself; you may also close it and
        come back.
      </p>
      <CancelHold order={order} label="Leave the queue" />
    </>
  );
}

function Bought({ order }: { order: Order }) {
  return (
    <>
      <h1 className="text-headline">It is yours.</h1>
      {order.prize === true && (
        <p className="mt-5 inline-block bg-accent px-4 py-2 text-title font-bold text-on-accent">
          You have won the prize.
        </p>
      )}
      {order.prize === false && <p className="mt-5 text-muted">It did not win this time.</p>}
      <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">
        Your order is confirmed and kept. Its number is all that you need if you have a question.
      </p>
      <div className="no-print flex flex-wrap gap-3">
        <ActionLink href="/">More drops</ActionLink>
        <Action weight="quiet" onClick={() => window.print()}>
          Print the receipt
        </Action>
      </div>
    </>
  );
}

function Ended({ order }: { order: Order }) {
  const { title, text, next } = wordsForEnd(order.status, order.reason);
  return (
    <>
      <h1 className="text-headline">{title}.</h1>
      <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">{text}</p>
      <div className="flex flex-wrap gap-3">
        {next.includes('again') && <ActionLink href={`/drops/${order.productId}`}>Try again</ActionLink>}
        {next.includes('drops') && <ActionLink href="/">See the drops</ActionLink>}
      </div>
    </>
  );
}

function Slip({ order }: { order: Order }) {
  const drop = useDrop(order.productId);
  const rows: [string, React.ReactNode][] = [
    ['Product', order.productName],
    ['Quantity', order.quantity],
    ['Ordered', <When key="when" iso={order.createdAt} />],
    [
      'Number',
      <span key="id" className="text-note tracking-tight">
        {order.id}
      </span>,
    ],
  ];
  return (
    <section
      aria-label={isOpen(order) ? 'Order' : 'Receipt'}
      className="self-start bg-surface p-6 md:col-span-5"
    >
      <div className="mb-5 aspect-square w-24 rounded-base bg-rule">
        {drop && <Picture id={drop.id} url={drop.imageUrl} shape="square" />}
      </div>
      <dl className="flex flex-col gap-3">
        {rows.map(([name, value]) => (
          <div key={name} className="flex flex-wrap justify-between gap-x-6 border-b border-rule pb-3">
            <dt className="text-muted">{name}</dt>
            <dd className="ml-auto text-right font-bold">{value}</dd>
          </div>
        ))}
        <div className="flex items-baseline justify-between gap-6 pt-1">
          <dt className="text-muted">Total</dt>
          <dd className="figures text-title" data-testid="total">
            {money(order.totalPriceMinor, order.currency)}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Unknown() {
  const { title, text } = wordsFor('order-not-found');
  return (
    <>
      <h1 className="text-headline">{title}.</h1>
      <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">{text}</p>
      <div className="flex flex-wrap gap-3">
        <ActionLink href="/orders">Your orders</ActionLink>
        <ActionLink href="/">See the drops</ActionLink>
      </div>
    </>
  );
}

function Unreadable({ onAgain }: { onAgain: () => void }) {
  const { title, text } = wordsFor('unavailable');
  return (
    <div role="alert">
      <h1 className="text-headline">{title}.</h1>
      <p className="mt-5 mb-7 max-w-(--measure) text-lead text-muted">{text}</p>
      <Action onClick={onAgain}>Try again</Action>
    </div>
  );
}

function Waiting() {
  return (
    <div aria-busy="true" className="grid gap-12 md:grid-cols-12">
      <p role="status" className="sr-only">
        Loading
      </p>
      <div className="h-56 rounded-base bg-rule md:col-span-7" />
      <div className="h-72 rounded-base bg-rule md:col-span-5" />
    </div>
  );
}
