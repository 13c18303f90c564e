'use client';

import Link from 'next/link';
import type { Drop, Sale, Stock } from '../api/client';
import { clock, count, money } from '../ui/format';
import { Picture } from '../ui/picture';
import { useServerNow } from '../ui/server-clock';
import { useSlowStock } from './use-stock';

export type OfferedDrop = { drop: Drop; sale: Sale; stock: Stock };

/** The drop that leads the page. */
export function LeadDrop({ drop, sale, stock }: OfferedDrop) {
  return (
    <article className="relative grid items-end gap-x-10 gap-y-6 md:grid-cols-12">
      <div className="md:col-span-7 lg:col-span-6">
        <Picture id={drop.id} url={drop.imageUrl} isFirst />
      </div>
      <div className="flex flex-col gap-6 md:col-span-5 lg:col-span-6">
        <h2 className="text-headline">
          <DropLink drop={drop} />
        </h2>
        <p className="max-w-(--measure) text-lead text-muted">{drop.description}</p>
        <p className="figures text-title">{money(sale.priceMinor, sale.currency)}</p>
        <Standing stock={stock} />
      </div>
    </article>
  );
}

export function DropCard({ drop, sale, stock }: OfferedDrop) {
  return (
    <article className="group relative flex flex-col gap-4">
      <div className="overflow-hidden rounded-base">
        <Picture id={drop.id} url={drop.imageUrl} />
      </div>
      <div className="flex items-baseline justify-between gap-4">
        <h3 className="text-title">
          <DropLink drop={drop} />
        </h3>
        <p className="figures text-lead">{money(sale.priceMinor, sale.currency)}</p>
      </div>
      <Standing stock={stock} />
    </article>
  );
}

/** The whole card is the link's target, and its name is the product's alone. */
function DropLink({ drop }: { drop: Drop }) {
  return (
    <Link
      href={`/drops/${drop.id}`}
      className="decoration-accent decoration-4 underline-offset-8 after:absolute after:inset-0 hover:underline"
    >
      {drop.name}
    </Link>
  );
}

function Standing({ stock: rendered }: { stock: Stock }) {
  const stock = useSlowStock(rendered.productId, rendered);
  const nowMs = useServerNow(stock.now);
  const share = stock.allocation > 0 ? stock.stock / stock.allocation : 0;
  return (
    <div>
      <div aria-hidden="true" className="h-2 overflow-hidden rounded-[1px] bg-slab">
        <div className="drain-trail h-full origin-left bg-accent" style={{ transform: `scaleX(${share})` }} />
      </div>
      <p className="mt-2 flex justify-between gap-4 text-note text-muted tabular-nums">
        <span className="font-bold text-ink">{standingOf(stock, nowMs)}</span>
        <span>of {count(stock.allocation)}</span>
      </p>
    </div>
  );
}

function standingOf(stock: Stock, nowMs: number): string {
  switch (stock.state) {
    case 'open':
      return `${count(stock.stock)} left`;
    case 'upcoming':
      return `Opens in ${clock(Date.parse(stock.startsAt) - nowMs)}`;
    case 'paused':
      return 'Paused';
    case 'sold-out':
      return 'Sold out';
    case 'ended':
      return `Over, ${count(stock.sold)} sold`;
  }
}
