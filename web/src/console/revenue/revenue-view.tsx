'use client';

import { useQuery } from '@tanstack/react-query';
import { answerOf, operatorApi, type Stats } from '../../api/operator';
import { Action, ActionLink } from '../../ui/action';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count, money } from '../../ui/format';
import { Tabs } from '../../ui/tabs';
import { Empty } from '../empty';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { useFilter } from '../use-filter';
import { DayChart, everyDay } from './day-chart';

const spans = [
  { value: '1', name: '24 hours' },
  { value: '7', name: '7 days' },
  { value: '30', name: '30 days' },
  { value: '90', name: '90 days' },
  { value: '365', name: 'A year' },
] as const;

const dayMs = 86_400_000;

export function RevenueView() {
  const filter = useFilter();
  const span = spans.find(({ value }) => value === filter.get('days'))?.value ?? '30';
  const stats = useQuery({
    queryKey: ['stats', span],
    queryFn: () =>
      answerOf(operatorApi.GET('/api/admin/stats', { params: { query: { from: daysAgo(span) } } })),
    staleTime: 15_000,
  });
  return (
    <>
      <PageHead
        title="Revenue"
        lead="What is bought and was not given back. Days are those of UTC."
        actions={
          <Action weight="tool" aria-disabled={stats.isFetching} onClick={() => void stats.refetch()}>
            {stats.isFetching ? 'Reading …' : 'Read again'}
          </Action>
        }
      />
      <Tabs label="Which time" options={spans} value={span} onChange={value => filter.set({ days: value })} />
      <Reading query={stats}>{known => <Earned stats={known} />}</Reading>
    </>
  );
}

function daysAgo(days: string): string {
  return new Date(Date.now() - Number(days) * dayMs).toISOString();
}

function Earned({ stats }: { stats: Stats }) {
  if (stats.totals.length === 0) {
    return (
      <Empty
        title="Nothing was sold in this time"
        actions={
          <ActionLink weight="tool" href="/admin/sales">
            See the sales
          </ActionLink>
        }
      >
        Choose a longer time, or look whether a sale is open.
      </Empty>
    );
  }
  return (
    <div className="flex flex-col gap-9">
      {stats.totals.map(total => (
        <Currency key={total.currency} total={total} stats={stats} />
      ))}
      <Products products={stats.products} />
      <p className="text-note text-muted">
        The query took <b className="text-ink tabular-nums">{stats.tookMs.toFixed(1)} ms</b>.
      </p>
    </div>
  );
}

function Currency({ total, stats }: { total: Stats['totals'][number]; stats: Stats }) {
  const { currency } = total;
  const sold = stats.days.filter(day => day.currency === currency);
  const days = everyDay(stats.from, stats.to, sold);
  return (
    <section aria-label={`In ${currency}`}>
      <dl className="mb-5 grid gap-px overflow-hidden rounded-base border border-rule bg-rule sm:grid-cols-3">
        <Total name={`Revenue, ${currency}`} text={money(total.revenueMinor, currency)} />
        <Total name="Units" text={count(total.units)} />
        <Total name="Orders" text={count(total.orders)} />
      </dl>
      <div className="grid items-start gap-5 lg:grid-cols-[3fr_2fr]">
        <DayChart days={days} currency={currency} />
        <div className="max-h-72 overflow-y-auto">
          <DataTable
            label={`Revenue by day, ${currency}`}
            columns={[
              { name: 'Day' },
              { name: 'Orders', isNumber: true },
              { name: 'Units', isNumber: true },
              { name: 'Revenue', isNumber: true },
            ]}
          >
            {sold.toReversed().map(({ day, orders, units, revenueMinor }) => (
              <tr key={day}>
                <HeadCell className="font-normal whitespace-nowrap tabular-nums">{day}</HeadCell>
                <Cell isNumber>{count(orders)}</Cell>
                <Cell isNumber>{count(units)}</Cell>
                <Cell isNumber>{money(revenueMinor, currency)}</Cell>
              </tr>
            ))}
          </DataTable>
        </div>
      </div>
    </section>
  );
}

function Total({ name, text }: { name: string; text: string }) {
  return (
    <div className="bg-surface p-5">
      <dt className="text-note text-muted">{name}</dt>
      <dd className="figures mt-1 text-title">{text}</dd>
    </div>
  );
}

function Products({ products }: { products: Stats['products'] }) {
  return (
    <section>
      <h2 className="mb-3 text-lead">What earned most</h2>
      <DataTable
        label="Products that earned most"
        columns={[
          { name: 'Product' },
          { name: 'Orders', isNumber: true },
          { name: 'Units', isNumber: true },
          { name: 'Revenue', isNumber: true },
        ]}
      >
        {products.map(({ productId, name, currency, orders, units, revenueMinor }) => (
          <tr key={`${productId} ${currency}`}>
            <HeadCell>{name}</HeadCell>
            <Cell isNumber>{count(orders)}</Cell>
            <Cell isNumber>{count(units)}</Cell>
            <Cell isNumber>{money(revenueMinor, currency)}</Cell>
          </tr>
        ))}
      </DataTable>
    </section>
  );
}
