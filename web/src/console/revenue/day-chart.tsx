import { money } from '../../ui/format';

export type Day = { day: string; revenueMinor: number };

const height = 160;
const width = 720;

/**
 * Revenue by day as columns. Those who do not see it have the table beside it; a day on which nothing was sold has no column
 * but keeps its place.
 */
export function DayChart({ days, currency }: { days: readonly Day[]; currency: string }) {
  const top = Math.max(...days.map(({ revenueMinor }) => revenueMinor));
  const step = width / days.length;
  const best = days.find(({ revenueMinor }) => revenueMinor === top);
  return (
    <figure className="rounded-base bg-slab p-5 text-on-slab">
      <figcaption className="mb-4 flex flex-wrap justify-between gap-x-6 text-note text-on-slab-muted">
        <span>Revenue by day, {currency}</span>
        {best && (
          <span>
            Best day {best.day}: <b className="text-on-slab">{money(top, currency)}</b>
          </span>
        )}
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        className="block h-40 w-full"
      >
        {[0.25, 0.5, 0.75, 1].map(share => (
          <rect key={share} y={height * (1 - share)} width={width} height="1" fill="var(--slab-track)" />
        ))}
        {days.map(({ day, revenueMinor }, position) => {
          const tall = top === 0 ? 0 : (revenueMinor / top) * height;
          return (
            <rect
              key={day}
              x={position * step + step * 0.12}
              y={height - tall}
              width={step * 0.76}
              height={tall}
              fill="var(--accent)"
            >
              <title>{`${day}: ${money(revenueMinor, currency)}`}</title>
            </rect>
          );
        })}
        <rect y={height - 1} width={width} height="1" fill="var(--on-slab-muted)" />
      </svg>
      <p aria-hidden="true" className="mt-2 flex justify-between text-note text-on-slab-muted tabular-nums">
        <span>{days[0]?.day}</span>
        <span>{days.at(-1)?.day}</span>
      </p>
    </figure>
  );
}

const dayMs = 86_400_000;

/** Every day from the first to the last, in UTC as the engine counts them; those without a sale are 0. */
export function everyDay(from: string, to: string, sold: readonly Day[]): Day[] {
  const byDay = new Map(sold.map(({ day, revenueMinor }) => [day, revenueMinor]));
  const first = Date.parse(`${from.slice(0, 10)}T00:00:00Z`);
  const count = Math.floor((Date.parse(to) - 1 - first) / dayMs) + 1;
  return Array.from({ length: count }, (_, position) => {
    const day = new Date(first + position * dayMs).toISOString().slice(0, 10);
    return { day, revenueMinor: byDay.get(day) ?? 0 };
  });
}
