'use client';

import type { ListedSale } from '../../api/operator';
import { ActionLink } from '../../ui/action';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count, money } from '../../ui/format';
import { PlainLink } from '../../ui/plain-link';
import { Tabs } from '../../ui/tabs';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { More } from '../more';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { useFilter } from '../use-filter';
import { SaleActions } from './sale-actions';
import { SeriesList } from './series-list';
import { StateBadge } from './state-badge';
import { StockBar } from './stock-bar';
import { useSales } from './use-sales';

const views = [
  { value: 'open', name: 'Open' },
  { value: 'upcoming', name: 'Upcoming' },
  { value: 'paused', name: 'Paused' },
  { value: 'ended', name: 'Ended' },
  { value: 'all', name: 'All' },
  { value: 'series', name: 'Repeating' },
] as const;
type View = (typeof views)[number]['value'];

const newSale = (
  <ActionLink weight="tool-first" href="/admin/sales/new">
    New sale
  </ActionLink>
);

export function SalesView() {
  const filter = useFilter();
  const view = views.find(({ value }) => value === filter.get('view'))?.value ?? 'open';
  return (
    <>
      <PageHead
        title="Sales"
        lead="A product in a window of time, with its units and its terms."
        actions={newSale}
      />
      <Tabs<View>
        label="Which sales"
        options={views}
        value={view}
        onChange={value => filter.set({ view: value === 'open' ? '' : value })}
      />
      {view === 'series' ? <SeriesList /> : <SaleList state={view === 'all' ? '' : view} />}
    </>
  );
}

function SaleList({ state }: { state: ListedSale['state'] | '' }) {
  const sales = useSales(state);
  return (
    <Reading query={sales}>
      {({ pages }) => {
        const rows = pages.flatMap(page => page.sales);
        if (rows.length === 0) return <NoSales state={state} />;
        return (
          <>
            <DataTable label="Sales" columns={columns}>
              {rows.map(sale => (
                <SaleRow key={sale.id} sale={sale} />
              ))}
            </DataTable>
            <More pages={sales} name="Show older sales" />
          </>
        );
      }}
    </Reading>
  );
}

const columns = [
  { name: 'Sale' },
  { name: 'State' },
  { name: 'Units' },
  { name: 'Window' },
  { name: 'Price', isNumber: true },
  { name: 'What to do', isHidden: true },
];

function SaleRow({ sale }: { sale: ListedSale }) {
  return (
    <tr>
      <HeadCell className="min-w-44">
        <PlainLink href={`/admin/sales/${sale.id}`} className="underline-offset-4 hover:underline">
          {sale.productName}
        </PlainLink>
        <span className="block text-note font-normal text-muted">
          Sale {sale.id}
          {sale.recurrence && ', repeats'}
        </span>
      </HeadCell>
      <Cell>
        <StateBadge {...sale} />
      </Cell>
      <Cell>
        <StockBar {...sale} />
      </Cell>
      <Cell className="text-note whitespace-nowrap">
        <When iso={sale.startsAt} />
        <span className="block text-muted">
          to <When iso={sale.endsAt} />
        </span>
      </Cell>
      <Cell isNumber>
        {money(sale.priceMinor, sale.currency)}
        <span className="block text-note text-muted">{count(sale.perUserLimit)} each</span>
      </Cell>
      <Cell>
        <SaleActions sale={sale} />
      </Cell>
    </tr>
  );
}

function NoSales({ state }: { state: ListedSale['state'] | '' }) {
  if (state === '') {
    return (
      <Empty title="No sale yet" actions={newSale}>
        A sale offers a product for a while. Add the product first, if it is not there yet.
      </Empty>
    );
  }
  return (
    <Empty title={`No sale is ${state} right now`} actions={newSale}>
      Sales in other states are under the other tabs.
    </Empty>
  );
}
