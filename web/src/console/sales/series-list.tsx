'use client';

import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, operatorApi, type Series } from '../../api/operator';
import { Action } from '../../ui/action';
import { Badge } from '../../ui/badge';
import { Confirm } from '../../ui/confirm';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count } from '../../ui/format';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { More } from '../more';
import { useProducts } from '../products/use-products';
import { Reading } from '../reading';
import { filled } from '../use-filter';

const columns = [
  { name: 'Product' },
  { name: 'State' },
  { name: 'Begins' },
  { name: 'Lasts' },
  { name: 'Units each time', isNumber: true },
  { name: 'Planned until' },
  { name: 'What to do', isHidden: true },
];

export function SeriesList() {
  const series = useInfiniteQuery({
    queryKey: ['sales', 'series'],
    queryFn: ({ pageParam }) =>
      answerOf(operatorApi.GET('/api/admin/series', { params: { query: filled({ after: pageParam }) } })),
    initialPageParam: '',
    getNextPageParam: ({ next }) => (next === null ? undefined : String(next)),
  });
  return (
    <Reading query={series}>
      {({ pages }) => {
        const rows = pages.flatMap(page => page.series);
        if (rows.length === 0) {
          return (
            <Empty title="No sale repeats">
              Say “Repeat it” when you make a sale, and each of its windows becomes a sale of its own.
            </Empty>
          );
        }
        return (
          <>
            <DataTable label="Sales that repeat" columns={columns}>
              {rows.map(one => (
                <SeriesRow key={one.id} series={one} />
              ))}
            </DataTable>
            <More pages={series} />
          </>
        );
      }}
    </Reading>
  );
}

function SeriesRow({ series }: { series: Series }) {
  const { data: products = [] } = useProducts();
  const name = products.find(({ id }) => id === series.productId)?.name ?? `Product ${series.productId}`;
  return (
    <tr>
      <HeadCell>{name}</HeadCell>
      <Cell>
        <Badge tone={series.status === 'active' ? 'good' : 'plain'}>
          {series.status === 'active' ? 'Repeats' : 'Ended'}
        </Badge>
      </Cell>
      <Cell className="whitespace-nowrap">
        <code>{series.recurrence.cron}</code>
        <span className="block text-note text-muted">{series.recurrence.timeZone}</span>
      </Cell>
      <Cell className="whitespace-nowrap">{lengthOf(series.durationSeconds)}</Cell>
      <Cell isNumber>{count(series.allocation)}</Cell>
      <Cell className="whitespace-nowrap">
        <When iso={series.plannedUntil} />
      </Cell>
      <Cell className="text-right">
        {series.status === 'active' && <EndSeries id={series.id} name={name} />}
      </Cell>
    </tr>
  );
}

function EndSeries({ id, name }: { id: number; name: string }) {
  const [isAsking, setAsking] = useState(false);
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () =>
      answerOf(operatorApi.POST('/api/admin/series/{id}/end', { params: { path: { id: String(id) } } })),
    onSuccess: () => setAsking(false),
    onSettled: () => client.invalidateQueries({ queryKey: ['sales'] }),
  });
  return (
    <>
      <Action weight="tool-danger" aria-label={`Stop repeating ${name}`} onClick={() => setAsking(true)}>
        Stop
      </Action>
      {isAsking && (
        <Confirm
          title={`Stop repeating ${name}?`}
          action="Stop it for good"
          isBusy={end.isPending}
          problem={end.error?.message}
          onConfirm={() => end.mutate()}
          onClose={() => setAsking(false)}
        >
          <p>
            No further window is planned, and those that have not begun are ended. The one under way goes on.
          </p>
        </Confirm>
      )}
    </>
  );
}

function lengthOf(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
