'use client';

import { useEffect, useState } from 'react';
import type { Sale, Stock } from '../api/client';
import { Bar } from '../ui/bar';
import { Figure } from '../ui/figure';
import { clock, count } from '../ui/format';
import { useServerNow } from '../ui/server-clock';
import { When } from '../ui/when';
import type { Freshness } from './use-stock';

/** The black slab: what is left, drained before everybody's eyes; before the sale, how long it still is. */
export function StockSlab({ stock, sale, freshness }: { stock: Stock; sale: Sale; freshness: Freshness }) {
  return (
    <section
      aria-label="Stock"
      className="rounded-base bg-slab p-5 text-on-slab sm:p-7"
      data-state={stock.state}
    >
      {stock.state === 'upcoming' ? <Countdown stock={stock} /> : <Left stock={stock} />}
      <Drain stock={stock} />
      <Footnote stock={stock} sale={sale} freshness={freshness} />
      <Milestones stock={stock} />
    </section>
  );
}

function Left({ stock }: { stock: Stock }) {
  const words = { 'sold-out': 'Sold out', paused: 'Paused', ended: 'Over' } as const;
  const label = stock.state in words ? words[stock.state as keyof typeof words] : undefined;
  return (
    <div className="relative min-h-[7.5rem]">
      <Figure text={count(stock.stock)} label={`left of ${count(stock.allocation)}`} name="stock" />
      {label && (
        <p className="absolute top-0 right-0 bg-accent px-3 py-1 text-lead font-bold text-on-accent">
          {label}
        </p>
      )}
    </div>
  );
}

function Countdown({ stock }: { stock: Stock }) {
  const nowMs = useServerNow(stock.now);
  return (
    <div className="flex min-h-[7.5rem] flex-col justify-end">
      <div role="timer">
        <Figure
          text={clock(Date.parse(stock.startsAt) - nowMs)}
          label={
            <>
              until {count(stock.allocation)} go on sale, <When iso={stock.startsAt} />
            </>
          }
          name="countdown"
        />
      </div>
    </div>
  );
}

function Drain({ stock }: { stock: Stock }) {
  const left = stock.allocation > 0 ? stock.stock / stock.allocation : 0;
  const held = stock.allocation > 0 ? stock.reserved / stock.allocation : 0;
  return (
    <div className="mt-5">
      <meter className="sr-only" aria-label="Units left" min={0} max={stock.allocation} value={stock.stock} />
      <Bar
        className="h-4 bg-slab-track"
        fills={[
          { share: left, look: 'drain-trail fill-on-slab' },
          { share: left + held, look: 'drain-fill fill-accent-deep' },
          { share: left, look: 'drain-fill fill-accent' },
        ]}
      />
    </div>
  );
}

function Footnote({ stock, sale, freshness }: { stock: Stock; sale: Sale; freshness: Freshness }) {
  const nowMs = useServerNow(stock.now);
  const isRunning = stock.state === 'open' || stock.state === 'sold-out' || stock.state === 'paused';
  const endsInMs = Date.parse(stock.endsAt) - nowMs;
  // A day ahead a countdown of seconds says nothing.
  const isSoon = endsInMs < 86_400_000;
  return (
    <div className="mt-4 grid gap-x-6 gap-y-1 text-note text-on-slab-muted tabular-nums grid-cols-[minmax(max-content,3fr)_2fr] whitespace-nowrap">
      {stock.state !== 'upcoming' && (
        <p>
          {count(stock.sold)} sold, {count(stock.reserved)} held
        </p>
      )}
      <Freshly freshness={freshness} />
      {isRunning && (
        <p className="col-span-2">
          {isSoon ? (
            `${clock(endsInMs)} left`
          ) : (
            <>
              until <When iso={stock.endsAt} />
            </>
          )}
          {sale.recurrence && ', then anew'}
        </p>
      )}
    </div>
  );
}

function Freshly({ freshness }: { freshness: Freshness }) {
  const text = {
    live: 'Live',
    polled: 'Updated every 2 s',
    stale: 'Last known figures',
  }[freshness];
  return (
    <p className="flex items-center gap-2 whitespace-normal">
      <span
        aria-hidden="true"
        className={`size-2 shrink-0 rounded-full ${freshness === 'stale' ? 'bg-on-slab-muted' : 'bg-accent'} ${freshness === 'live' ? 'breathing' : ''}`}
      />
      {text}
    </p>
  );
}

/** Figures that move five times a second can not be read out; what they come to can. */
function Milestones({ stock }: { stock: Stock }) {
  const text = milestoneOf(stock);
  const [said, setSaid] = useState(text);
  useEffect(() => setSaid(text), [text]);
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}

function milestoneOf({ state, stock, allocation }: Stock): string {
  if (state === 'sold-out') return 'Sold out';
  if (state === 'paused') return 'The sale is paused';
  if (state === 'ended') return 'The sale is over';
  if (state === 'upcoming') return 'Not on sale yet';
  const share = stock / allocation;
  const step = [0.1, 0.25, 0.5, 0.75].find(limit => share <= limit);
  return step === undefined ? 'On sale' : `On sale, less than ${step * 100} percent left`;
}
