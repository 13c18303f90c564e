import { count } from '../../ui/format';

type Units = { allocation: number; stock: number; reserved: number; sold: number };

/** Where a sale's units are: sold, held in checkouts, left. Drawn with attributes, which any content policy lets through. */
export function StockBar({ allocation, stock, reserved, sold }: Units) {
  const share = (units: number) => (100 * units) / allocation;
  return (
    <div className="min-w-36">
      <svg
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        aria-hidden="true"
        className="block h-2 w-full overflow-hidden rounded-[2px]"
      >
        <rect width="100" height="6" fill="var(--rule)" />
        <rect width={share(sold)} height="6" fill="var(--ink)" />
        <rect x={share(sold)} width={share(reserved)} height="6" fill="var(--accent)" />
      </svg>
      <p className="mt-1 text-note whitespace-nowrap text-muted tabular-nums">
        <b className="text-ink">{count(sold)}</b> sold
        {reserved > 0 && `, ${count(reserved)} held`}, {count(stock)} left
      </p>
    </div>
  );
}
