'use client';

import { useRouter } from 'next/navigation';
import { useEffect } from 'react';
import type { Drop, Sale, Stock } from '../api/client';
import { BuyPanel } from './buy-panel';
import { StockSlab } from './stock-slab';
import { useStock } from './use-stock';

/** What moves on a drop's page: the stock, and what may be done about it. */
export function DropView({ drop, sale, rendered }: { drop: Drop; sale: Sale; rendered: Stock }) {
  const router = useRouter();
  const { stock, freshness } = useStock(drop.id, rendered);
  // A new window has a price and a limit of its own; the page is made anew for it.
  useEffect(() => {
    if (stock.saleId !== sale.id) router.refresh();
  }, [stock.saleId, sale.id, router]);
  return (
    <div className="flex flex-col gap-7">
      <StockSlab stock={stock} sale={sale} freshness={freshness} />
      <BuyPanel drop={drop} sale={sale} stock={stock} />
    </div>
  );
}
