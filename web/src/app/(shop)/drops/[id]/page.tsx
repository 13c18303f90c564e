import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { connection } from 'next/server';
import type { Drop, Sale } from '../../../../api/client';
import { readDrop, readStock } from '../../../../api/server';
import { DropView } from '../../../../shop/drop-view';
import { ActionLink } from '../../../../ui/action';
import { count, money } from '../../../../ui/format';
import { Notice } from '../../../../ui/notice';
import { Picture } from '../../../../ui/picture';

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const drop = await readDrop((await params).id);
  return drop ? { title: drop.name, description: drop.description } : {};
}

export default async function DropPage({ params }: Props) {
  await connection();
  const { id } = await params;
  const [drop, stock] = await Promise.all([readDrop(id), readStock(id)]);
  if (!drop) notFound();
  const { sale } = drop;
  // The error boundary tries again by itself.
  if (sale && !stock) throw new Error('the stock of a sale can not be read');

  return (
    <article className="grid items-start gap-x-12 gap-y-7 md:grid-cols-2 lg:grid-cols-12">
      <div className="max-md:-mx-5 max-md:-mt-6 md:sticky md:top-8 lg:col-span-6 xl:col-span-7">
        <Picture id={drop.id} url={drop.imageUrl} shape="square-on-phone" isFirst />
      </div>
      <div className="flex flex-col gap-7 lg:col-span-6 xl:col-span-5">
        <div>
          <h1 className="text-headline">{drop.name}</h1>
          <p className="figures mt-4 text-title">
            {money(sale?.priceMinor ?? drop.priceMinor, sale?.currency ?? drop.currency)}
          </p>
        </div>
        {sale && stock ? <DropView drop={drop} sale={sale} rendered={stock} /> : <NotOnSale />}
        <About drop={drop} sale={sale} />
      </div>
    </article>
  );
}

function NotOnSale() {
  return (
    <Notice tone="plain" title="Not on sale" actions={<ActionLink href="/">Other drops</ActionLink>}>
      No sale of it is planned yet. Look in again another day.
    </Notice>
  );
}

function About({ drop, sale }: { drop: Drop; sale: Sale | null }) {
  if (!drop.description && !sale) return null;
  return (
    <section aria-label="About this drop" className="border-t border-rule pt-5">
      {drop.description && <p className="max-w-(--measure) text-lead">{drop.description}</p>}
      {sale && (
        <ul className="mt-4 flex list-none flex-col gap-1 text-muted">
          {sale.prizeOdds !== null && <li>One purchase in {count(sale.prizeOdds)} wins.</li>}
          <li>
            A hold lasts {holdText(sale.holdTtlSeconds)}; what is not paid for by then is on sale again.
          </li>
          {sale.payment === 'none' && <li>Nothing is charged online.</li>}
        </ul>
      )}
    </section>
  );
}

function holdText(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
