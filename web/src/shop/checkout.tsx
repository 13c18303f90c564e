'use client';

import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, type Order } from '../api/client';
import { Action } from '../ui/action';
import { Bar } from '../ui/bar';
import { Figure } from '../ui/figure';
import { clock, money } from '../ui/format';
import { Notice } from '../ui/notice';
import { useServerNow } from '../ui/server-clock';
import { CancelHold } from './cancel-hold';
import { findCode } from './kept';
import { PaymentMethods } from './payment-methods';
import { useDrop } from './use-drop';
import { usePayment } from './use-payment';
import { wordsFor } from './words';

/** A hold: how long it lasts, and how to make it a purchase. */
export function Checkout({ order }: { order: Order }) {
  // Read after the first rendering, which the server shares.
  const [code, setCode] = useState<string>();
  useEffect(() => setCode(findCode(order.id)), [order.id]);
  return (
    <>
      <h1 className="text-headline">Held for you.</h1>
      <HoldTimer order={order} />
      <div className="mt-7 flex flex-col gap-7">
        {code === undefined ? <Elsewhere /> : <Pay order={order} code={code} />}
        <CancelHold order={order} label="Give the units back" />
      </div>
    </>
  );
}

function HoldTimer({ order }: { order: Order }) {
  const { now } = useServerTime(order.productId);
  const nowMs = useServerNow(now);
  if (order.expiresAt === null) return null;
  const expiresAtMs = Date.parse(order.expiresAt);
  const leftMs = Math.max(0, expiresAtMs - nowMs);
  const share = Math.min(1, leftMs / (expiresAtMs - Date.parse(order.createdAt)));
  return (
    <div className="mt-6 rounded-base bg-slab p-5 text-on-slab sm:p-7">
      <div role="timer">
        <Figure
          text={clock(leftMs)}
          label={
            leftMs > 0 ? 'until they are on sale again' : 'The hold has run out; the units are going back.'
          }
          name="hold"
        />
      </div>
      <Bar className="mt-5 h-4 bg-slab-track" fills={[{ share, look: 'drain-fill fill-accent' }]} />
      <p role="status" className="sr-only">
        {leftMs < 60_000 ? 'Less than a minute left to pay' : 'Your units are held'}
      </p>
    </div>
  );
}

function Pay({ order, code }: { order: Order; code: string }) {
  const { progress, refused, pay } = usePayment(order, code);
  const isPaid = useDrop(order.productId)?.sale?.payment !== 'none';
  const [method, setMethod] = useState('card');
  const label = isPaid ? `Pay ${money(order.totalPriceMinor, order.currency)}` : 'Confirm the purchase';
  const { title, text } = wordsFor(refused?.kind === 'refused' ? refused.slug : undefined);
  return (
    <form
      className="flex flex-col gap-6"
      onSubmit={event => {
        event.preventDefault();
        pay(isPaid ? method : 'none');
      }}
    >
      {isPaid && <PaymentMethods value={method} onChange={setMethod} isDisabled={progress !== undefined} />}
      {refused && (
        <Notice tone="bad" title={title} isUrgent>
          {text}
        </Notice>
      )}
      <Action type="submit" weight="primary" aria-disabled={progress !== undefined} className="w-full">
        {progress === undefined
          ? label
          : progress === 'reconnecting'
            ? 'Connection lost, trying …'
            : 'One moment …'}
      </Action>
    </form>
  );
}

function Elsewhere() {
  return (
    <Notice tone="plain" title="This order goes on by itself, or where you began it">
      Its payment is being settled, or the units were held in another browser: pay there. This page shows what
      comes of it.
    </Notice>
  );
}

/** A countdown by this machine's clock alone would be as wrong as that clock. */
function useServerTime(productId: number): { now: string } {
  const { data } = useQuery({
    queryKey: ['server-time', productId],
    queryFn: async () => {
      const { data: stock } = await api.GET('/api/stock/{productId}', {
        params: { path: { productId: String(productId) } },
      });
      return { now: stock?.now ?? new Date().toISOString() };
    },
    staleTime: 30_000,
  });
  const [fallback] = useState(() => new Date().toISOString());
  return data ?? { now: fallback };
}
