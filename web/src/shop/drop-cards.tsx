'use client';

import type { Drop, Sale, Stock } from '../api/client';
import { ActionLink } from '../ui/action';
import { Bar } from '../ui/bar';
import { Figure } from '../ui/figure';
import { clock, count, money } from '../ui/format';
import { Picture } from '../ui/picture';
import { PlainLink } from '../ui/plain-link';
import { useServerNow } from '../ui/server-clock';
import { useSlowStock } from './use-stock';

export type OfferedDrop = { drop: Drop; sale: Sale; stock: Stock };

/** The drop that leads the page: its picture, and the number that everybody is here for. */
export function LeadDrop({ drop, sale, stock: rendered }: OfferedDrop) {
  const stock = useSlowStock(drop.id, rendered);
  return (
    <article className="relative grid gap-x-10 gap-y-7 md:grid-cols-12">
      <div className="md:col-span-6">
        <Picture id={drop.id} url={drop.imageUrl} isFirst />
      </div>
      <div className="flex flex-col justify-between gap-10 md:col-span-6">
        <div>
          <p className="text-lead text-muted">
            {stock.state === 'open' ? 'On sale now' : stateWords[stock.state]}
          </p>
          <Figure text={count(stock.stock)} label={`left of ${count(stock.allocation)}`} />
          <StockBar stock={stock} className="mt-5 h-4" />
        </div>
        <div className="flex flex-col gap-4">
          <h2 className="text-headline">
            <DropLink drop={drop} />
          </h2>
          <p className="max-w-(--measure) text-lead text-muted">{drop.description}</p>
          <div className="flex flex-wrap items-center justify-between gap-4">
            <p className="figures text-title">{money(sale.priceMinor, sale.currency)}</p>
            {stock.state === 'open' && (
              <ActionLink weight="primary" href={`/drops/${drop.id}`}>
                Get yours
              </ActionLink>
            )}
          </div>
        </div>
      </div>
    </article>
  );
}

export function DropCard({ drop, sale, stock: rendered }: OfferedDrop) {
  const stock = useSlowStock(drop.id, rendered);
  return (
    <article className="relative flex flex-col gap-4">
      <Picture id={drop.id} url={drop.imageUrl} shape="square" />
      <div className="flex grow items-baseline justify-between gap-4">
        <h3 className="text-title">
          <DropLink drop={drop} />
        </h3>
        <p className="figures text-title">{money(sale.priceMinor, sale.currency)}</p>
      </div>
      <div>
        <StockBar stock={stock} className="h-2" />
        <p className="mt-2 flex justify-between gap-4 tabular-nums">
          <span className="font-bold">
            {stock.state === 'open' ? `${count(stock.stock)} left` : stateWords[stock.state]}
          </span>
          <span className="text-muted">of {count(stock.allocation)}</span>
        </p>
      </div>
    </article>
  );
}

/** A line of the timetable: what comes, and in how long; or what was. */
export function DropLine({ drop, sale, stock }: OfferedDrop) {
  const nowMs = useServerNow(stock.now);
  const isUpcoming = stock.state === 'upcoming';
  return (
    <article className="relative grid grid-cols-[5rem_1fr] items-center gap-x-5 gap-y-2 border-b border-rule py-5 sm:grid-cols-[7rem_1fr_auto] sm:gap-x-8">
      <div className={isUpcoming ? '' : 'grayscale'}>
        <Picture id={drop.id} url={drop.imageUrl} />
      </div>
      <div>
        <h3 className="text-title">
          <DropLink drop={drop} />
        </h3>
        <p className="mt-1 text-muted">
          {money(sale.priceMinor, sale.currency)}, {count(stock.allocation)} of them
        </p>
      </div>
      <p className="max-sm:col-start-2 sm:text-right">
        <span className="block text-note text-muted">{isUpcoming ? 'opens in' : 'sold'}</span>
        <span className="figures text-title">
          {isUpcoming ? clock(Date.parse(stock.startsAt) - nowMs) : count(stock.sold)}
        </span>
      </p>
    </article>
  );
}

/** The whole card is the link's target, and its name is the product's alone. */
function DropLink({ drop }: { drop: Drop }) {
  return (
    <PlainLink
      href={`/drops/${drop.id}`}
      className="decoration-accent decoration-4 underline-offset-8 after:absolute after:inset-0 hover:underline"
    >
      {drop.name}
    </PlainLink>
  );
}

function StockBar({ stock, className }: { stock: Stock; className: string }) {
  const share = stock.allocation > 0 ? stock.stock / stock.allocation : 0;
  return <Bar className={`bg-slab ${className}`} fills={[{ share, look: 'drain-trail fill-accent' }]} />;
}

const stateWords: Record<Stock['state'], string> = {
  open: 'On sale now',
  upcoming: 'Coming up',
  paused: 'Paused',
  'sold-out': 'Sold out',
  ended: 'Over',
};
