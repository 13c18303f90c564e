'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import { answerOf, type Got, operatorApi } from '../../api/operator';
import { Badge } from '../../ui/badge';
import { Cell, HeadCell } from '../../ui/data-table';
import { count } from '../../ui/format';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { Listing } from '../listing';
import { PageHead } from '../page-head';
import { filled, useFilter } from '../use-filter';
import { CsvButton } from './csv-button';
import { FilterForm } from './filter-form';
import { isOutcome, outcomeTones } from './outcomes';

type Attempt = Got<'/api/admin/attempts'>['attempts'][number];

const fields = [
  { name: 'saleId', label: 'Sale' },
  { name: 'shopperId', label: 'Shopper' },
  { name: 'orderId', label: 'Order' },
  { name: 'outcome', label: 'Outcome', options: Object.keys(outcomeTones) },
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
  const attempts = useInfiniteQuery({
    queryKey: ['attempts-of-all', query, outcome],
    queryFn: ({ pageParam }) =>
      answerOf(
        operatorApi.GET('/api/admin/attempts', {
          params: {
            query: {
              ...query,
              ...(isOutcome(outcome) && { outcome }),
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
    <Listing
      label="Attempts"
      columns={columns}
      query={attempts}
      rowsOf={page => page.attempts}
      row={(attempt, position) => <AttemptRow key={position} attempt={attempt} />}
      empty={<Empty title="No try fits">Widen the filter, or give an earlier “From”.</Empty>}
      more="Show older attempts"
    />
  );
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  return (
    <tr>
      <Cell>
        <When iso={attempt.at} isExact />
      </Cell>
      <HeadCell className="min-w-52 font-normal">
        <Badge tone={isOutcome(attempt.outcome) ? outcomeTones[attempt.outcome] : 'plain'}>
          {attempt.outcome}
        </Badge>
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
