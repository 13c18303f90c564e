'use client';

import type { Progress } from '@doorbuster/client';
import { useEffect, useState } from 'react';
import type { Drop, Sale, Stock } from '../api/client';
import { Action, ActionLink } from '../ui/action';
import { money, units } from '../ui/format';
import { Notice } from '../ui/notice';
import { PlainLink } from '../ui/plain-link';
import type { Way } from './kept';
import { QuantityField } from './quantity-field';
import { Refusal, Standing } from './refusal';
import { unitsInMyName, useOrders } from './use-orders';
import { usePurchase } from './use-purchase';

/** Buy, hold or queue. What can not be done now says why instead of being a dead button. */
export function BuyPanel({ drop, sale, stock }: { drop: Drop; sale: Sale; stock: Stock }) {
  const purchase = usePurchase(drop.id);
  const { data: orders = [] } = useOrders(drop.id);
  const mine = unitsInMyName(orders, stock);
  const allowed = Math.max(0, sale.perUserLimit - mine);
  const [quantity, setQuantity] = useState(1);
  const quantityMax = Math.max(1, Math.min(allowed, stock.stock));
  const isBusy = purchase.progress !== undefined;
  const [firstWay, ...otherWays] = waysFor(sale);
  useEffect(() => setQuantity(known => Math.min(known, quantityMax)), [quantityMax]);

  return (
    <div className="flex flex-col gap-5">
      <p className="text-muted">
        {sale.perUserLimit === 1 ? 'One a person.' : `Up to ${units(sale.perUserLimit)} a person.`}{' '}
        {mine > 0 && (
          <span className="text-ink" data-testid="mine">
            {mine} in your name.{' '}
            <PlainLink href="/orders" className="underline underline-offset-4">
              See your orders
            </PlainLink>
          </span>
        )}
      </p>
      {stock.state === 'open' && allowed > 0 && (
        <>
          <div className="flex flex-wrap items-end gap-4">
            {sale.perUserLimit > 1 && (
              <QuantityField value={quantity} max={quantityMax} isDisabled={isBusy} onChange={setQuantity} />
            )}
            <Action
              weight="primary"
              className="grow"
              aria-disabled={isBusy}
              onClick={() => purchase.buy(firstWay, quantity)}
            >
              {purchase.progress
                ? progressWords[purchase.progress]
                : `${wayWords[firstWay].label}, ${money(sale.priceMinor * quantity, sale.currency)}`}
            </Action>
          </div>
          <p className="text-note text-muted">
            {(purchase.progress && progressHints[purchase.progress]) ?? wayWords[firstWay].text}
          </p>
        </>
      )}
      {purchase.refused ? (
        <Refusal purchase={purchase} quantity={quantity} way={firstWay} onFewer={() => setQuantity(1)} />
      ) : (
        <Standing state={stock.state} />
      )}
      {stock.state === 'open' && allowed > 0 && otherWays.length > 0 && (
        <OtherWays ways={otherWays} isBusy={isBusy} onChoose={way => purchase.buy(way, quantity)} />
      )}
      {stock.state === 'open' && allowed === 0 && (
        <Notice
          tone="plain"
          title="You have all that one person may have"
          actions={<ActionLink href="/orders">Your orders</ActionLink>}
        >
          Thank you. The rest is for others.
        </Notice>
      )}
      <p role="status" className="sr-only">
        {purchase.progress ? progressWords[purchase.progress] : ''}
      </p>
    </div>
  );
}

function waysFor({ payment }: Sale): [Way, ...Way[]] {
  return payment === 'required' ? ['hold'] : ['now', 'hold', 'queue'];
}

const wayWords: Record<Way, { label: string; text: string }> = {
  now: {
    label: 'Buy now',
    text: 'Decided at once: a moment after the press it is yours, or you know why not.',
  },
  hold: { label: 'Hold and check out', text: 'The units are yours while you pay, and nobody else’s.' },
  queue: {
    label: 'Queue my order',
    text: 'We take the order in and decide it in turn; its page says what came of it.',
  },
};

const progressWords: Record<Progress, string> = {
  sending: 'One moment …',
  'waiting-for-turn': 'Waiting for a turn …',
  reconnecting: 'Connection lost, trying …',
};

/** What to do meanwhile, which is nothing. */
const progressHints: Partial<Record<Progress, string>> = {
  'waiting-for-turn': 'Many people are here at once. We keep asking for you; a reload loses nothing.',
  reconnecting: 'Your purchase is kept here, and goes on as soon as you are back online.',
};

function OtherWays(props: { ways: readonly Way[]; isBusy: boolean; onChoose: (way: Way) => void }) {
  const { ways, isBusy, onChoose } = props;
  return (
    <details className="border-t border-rule pt-4">
      <summary className="font-bold">Other ways to buy</summary>
      <ul className="mt-4 flex flex-col gap-4">
        {ways.map(way => (
          <li key={way} className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
            <p className="max-w-(--measure) basis-60 grow text-note text-muted">{wayWords[way].text}</p>
            <Action aria-disabled={isBusy} onClick={() => onChoose(way)}>
              {wayWords[way].label}
            </Action>
          </li>
        ))}
      </ul>
    </details>
  );
}
