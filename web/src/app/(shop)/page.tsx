import { connection } from 'next/server';
import type { ReactNode } from 'react';
import { readCatalogue } from '../../api/server';
import { DropCard, DropLine, LeadDrop, type OfferedDrop } from '../../shop/drop-cards';
import { KeepCurrent } from '../../shop/keep-current';

export default async function Drops() {
  await connection();
  const { drops, stocks, now } = await readCatalogue();
  const offered = drops.flatMap((drop): OfferedDrop[] => {
    const stock = stocks.get(drop.id);
    return drop.sale && stock ? [{ drop, sale: drop.sale, stock }] : [];
  });
  const live = liveStates.flatMap(state => offered.filter(({ stock }) => stock.state === state));
  const upcoming = offered.filter(({ stock }) => stock.state === 'upcoming').sort(bySoonest);
  const past = offered.filter(({ stock }) => stock.state === 'ended');
  const [lead, ...others] = live;

  return (
    <>
      <KeepCurrent changes={[...upcoming.map(startOf), ...live.map(endOf)]} now={now} />
      <h1 className={lead ? 'sr-only' : 'text-headline'}>
        {lead ? 'Drops' : 'Nothing is on sale right now'}
      </h1>
      {lead && <LeadDrop {...lead} />}
      {offered.length === 0 && <NoDrops />}
      <Shelf title="Also on sale" drops={others}>
        <div className={`grid gap-x-8 gap-y-14 sm:grid-cols-2 ${others.length > 2 ? 'lg:grid-cols-3' : ''}`}>
          {others.map(offered => (
            <DropCard key={offered.drop.id} {...offered} />
          ))}
        </div>
      </Shelf>
      <Shelf title="Coming up" drops={upcoming}>
        <Timetable drops={upcoming} />
      </Shelf>
      <Shelf title="Over" drops={past}>
        <Timetable drops={past} />
      </Shelf>
    </>
  );
}

// What can be had comes first.
const liveStates = ['open', 'paused', 'sold-out'];

const startOf = ({ stock }: OfferedDrop) => stock.startsAt;
const endOf = ({ stock }: OfferedDrop) => stock.endsAt;

function bySoonest(a: OfferedDrop, b: OfferedDrop): number {
  return a.stock.startsAt < b.stock.startsAt ? -1 : 1;
}

function Shelf(props: { title: string; drops: readonly OfferedDrop[]; children: ReactNode }) {
  const { title, drops, children } = props;
  if (drops.length === 0) return null;
  return (
    <section className="mt-16 border-t-2 border-ink pt-5 sm:mt-24">
      <h2 className="mb-6 text-lead tracking-tight text-muted">{title}</h2>
      {children}
    </section>
  );
}

function Timetable({ drops }: { drops: readonly OfferedDrop[] }) {
  return drops.map(offered => <DropLine key={offered.drop.id} {...offered} />);
}

function NoDrops() {
  return (
    <p className="mt-4 max-w-(--measure) text-lead text-muted">
      There are no drops yet. An operator adds a product and a sale, and it is here a moment later.
    </p>
  );
}
