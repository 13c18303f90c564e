'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import { answerOf, type Got, operatorApi } from '../../api/operator';
import { ActionLink } from '../../ui/action';
import { Badge, type Tone } from '../../ui/badge';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count, money } from '../../ui/format';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { More } from '../more';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { filled, useFilter } from '../use-filter';
import { CsvButton } from './csv-button';
import { FilterForm } from './filter-form';

type Order = Got<'/api/admin/orders'>['orders'][number];

const statuses = [
  'QUEUED',
  'RESERVED',
  'CONFIRMED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'FAILED',
  'REFUNDED',
];
const fields = [
  { name: 'saleId', label: 'Sale' },
  { name: 'orderId', label: 'Order' },
  { name: 'shopperId', label: 'Shopper' },
  { name: 'status', label: 'Status', options: statuses },
  { name: 'entrance', label: 'Came as', options: ['direct', 'checkout', 'queued'] },
] as const;

const columns = [
  { name: 'Order' },
  { name: 'Status' },
  { name: 'Shopper' },
  { name: 'Units', isNumber: true },
  { name: 'Total', isNumber: true },
  { name: 'Came as' },
  { name: 'Sale', isNumber: true },
  { name: 'At' },
];

export function OrdersView() {
  const filter = useFilter();
  const query = filled(Object.fromEntries(fields.map(({ name }) => [name, filter.get(name)])));
  const isAsked = 'saleId' in query || 'orderId' in query;
  const csvUrl = `/api/admin/orders?${new URLSearchParams({ ...query, format: 'csv', limit: '5000' })}`;
  return (
    <>
      <PageHead title="Orders" lead="Every order that was accepted, and what became of it." />
      <FilterForm fields={fields}>{isAsked && <CsvButton url={csvUrl} fileName="orders.csv" />}</FilterForm>
      {isAsked ? <OrderList query={query} /> : <NothingAsked />}
    </>
  );
}

function OrderList({ query }: { query: Record<string, string | undefined> }) {
  const orders = useInfiniteQuery({
    queryKey: ['orders-of-sale', query],
    queryFn: ({ pageParam }) =>
      answerOf(
        operatorApi.GET('/api/admin/orders', {
          params: { query: { ...query, limit: '100', ...filled({ after: pageParam }) } },
          headers: { accept: 'application/json' },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
  });
  return (
    <Reading query={orders}>
      {({ pages }) => {
        const rows = pages.flatMap(page => page.orders);
        if (rows.length === 0)
          return (
            <Empty title="No order fits">
              Widen the filter, or look into the attempts: a refused try makes no order.
            </Empty>
          );
        return (
          <>
            <DataTable label="Orders" columns={columns}>
              {rows.map(order => (
                <OrderRow key={order.id} order={order} />
              ))}
            </DataTable>
            <More pages={orders} />
          </>
        );
      }}
    </Reading>
  );
}

const tones: Partial<Record<string, Tone>> = {
  CONFIRMED: 'good',
  RESERVED: 'live',
  FAILED: 'bad',
  REJECTED: 'bad',
};

function OrderRow({ order }: { order: Order }) {
  return (
    <tr>
      <HeadCell className="font-mono text-note font-normal">{order.id}</HeadCell>
      <Cell>
        <Badge tone={tones[order.status] ?? 'plain'}>{order.status}</Badge>
        {order.reason && <span className="block text-note text-muted">{order.reason}</span>}
      </Cell>
      <Cell className="max-w-40 truncate">{order.shopperId}</Cell>
      <Cell isNumber>{count(order.quantity)}</Cell>
      <Cell isNumber>{money(order.totalMinor, order.currency)}</Cell>
      <Cell>{order.entrance}</Cell>
      <Cell isNumber>{order.saleId}</Cell>
      <Cell>
        <When iso={order.createdAt} isExact />
      </Cell>
    </tr>
  );
}

function NothingAsked() {
  return (
    <Empty
      title="Of which sale?"
      actions={
        <ActionLink weight="tool" href="/admin/sales">
          Choose a sale
        </ActionLink>
      }
    >
      Give the number of a sale or the id of an order. From a sale’s page one press shows its orders.
    </Empty>
  );
}
