'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import { answerOf, type Got, operatorApi } from '../../api/operator';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count } from '../../ui/format';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { More } from '../more';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { filled, useFilter } from '../use-filter';
import { CsvButton } from './csv-button';
import { FilterForm } from './filter-form';

type Attempt = Got<'/api/admin/attempts'>['attempts'][number];

const outcomes = [
  ...['confirmed', 'reserved', 'queued', 'replayed', 'sold-out', 'limit-reached', 'sale-not-open'],
  ...['token-required', 'challenge-required', 'challenge-failed', 'key-reused', 'code-used', 'code-expired'],
  ...['order-ended', 'payment-declined', 'overloaded', 'undecided', 'unknown'],
] as const;
type Outcome = (typeof outcomes)[number];

const fields = [
  { name: 'saleId', label: 'Sale' },
  { name: 'shopperId', label: 'Shopper' },
  { name: 'orderId', label: 'Order' },
  { name: 'outcome', label: 'Outcome', options: outcomes },
  { name: 'from', label: 'From', isMoment: true },
  { name: 'to', label: 'To', isMoment: true },
] as const;

const columns = [
  { name: 'At' },
  { name: 'Outcome' },
  { name: 'Shopper' },
  { name: 'Units', isNumber: true },
  { name: 'Sale', isNumber: true },
  { name: 'Took', isNumber: true },
  { name: 'Order' },
];

export function AttemptsView() {
  const filter = useFilter();
  const query = filled({
    saleId: filter.get('saleId'),
    shopperId: filter.get('shopperId'),
    orderId: filter.get('orderId'),
    outcome: filter.get('outcome'),
    from: momentOf(filter.get('from')),
    to: momentOf(filter.get('to')),
  });
  const csvUrl = `/api/admin/attempts?${new URLSearchParams({ ...query, format: 'csv', limit: '1000' })}`;
  return (
    <>
      <PageHead
        title="Attempts"
        lead="Every try to buy, with how it ended: the answer to “why not me?”. Without a sale, a shopper or a time it shows the last hour."
      />
      <FilterForm fields={fields}>
        <CsvButton url={csvUrl} fileName="attempts.csv" />
      </FilterForm>
      <AttemptList query={query} />
    </>
  );
}

type Query = ReturnType<typeof filled<(typeof fields)[number]['name']>>;

function AttemptList({ query: { outcome, ...query } }: { query: Query }) {
  const known = outcomes.find((name): name is Outcome => name === outcome);
  const attempts = useInfiniteQuery({
    queryKey: ['attempts-of-all', query, known],
    queryFn: ({ pageParam }) =>
      answerOf(
        operatorApi.GET('/api/admin/attempts', {
          params: {
            query: {
              ...query,
              ...(known && { outcome: known }),
              limit: '100',
              ...filled({ after: pageParam }),
            },
          },
          headers: { accept: 'application/json' },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
  });
  return (
    <Reading query={attempts}>
      {({ pages }) => {
        const rows = pages.flatMap(page => page.attempts);
        if (rows.length === 0)
          return <Empty title="No try fits">Widen the filter, or give an earlier “From”.</Empty>;
        return (
          <>
            <DataTable label="Attempts" columns={columns}>
              {rows.map((attempt, position) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: attempts have no key, and a page never changes.
                <AttemptRow key={position} attempt={attempt} />
              ))}
            </DataTable>
            <More pages={attempts} name="Show older attempts" />
          </>
        );
      }}
    </Reading>
  );
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  return (
    <tr>
      <Cell>
        <When iso={attempt.at} isExact />
      </Cell>
      <HeadCell className="min-w-52 font-normal">
        <b>{attempt.outcome}</b>
        <span className="block text-note text-muted">{attempt.message}</span>
      </HeadCell>
      <Cell className="max-w-40 truncate">{attempt.shopperId}</Cell>
      <Cell isNumber>{count(attempt.quantity)}</Cell>
      <Cell isNumber>{attempt.saleId ?? 'none'}</Cell>
      <Cell isNumber>{attempt.durationMs.toFixed(1)} ms</Cell>
      <Cell className="max-w-32 truncate font-mono text-note">{attempt.orderId}</Cell>
    </tr>
  );
}

function momentOf(local: string): string {
  const moment = new Date(local);
  return Number.isNaN(moment.getTime()) ? local : moment.toISOString();
}
