'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, type DeadLetter, operatorApi } from '../../api/operator';
import { Action } from '../../ui/action';
import { Badge } from '../../ui/badge';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { Tabs } from '../../ui/tabs';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { More } from '../more';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { filled, useFilter } from '../use-filter';
import { LetterView } from './letter-view';
import { statusWords } from './status-words';

const views = [
  { value: 'COMPENSATED', name: 'To be looked at' },
  { value: 'NEW', name: 'Just in' },
  { value: 'REPLAYED', name: 'Replayed' },
  { value: 'DISCARDED', name: 'Discarded' },
] as const;

const columns = [
  { name: 'Letter' },
  { name: 'State' },
  { name: 'Why' },
  { name: 'Shopper' },
  { name: 'Sale', isNumber: true },
  { name: 'Since' },
  { name: 'What to do', isHidden: true },
];

export function LettersView() {
  const filter = useFilter();
  const status = views.find(({ value }) => value === filter.get('status'))?.value ?? 'COMPENSATED';
  const [openId, setOpenId] = useState<number>();
  const letters = useInfiniteQuery({
    queryKey: ['letters', status],
    queryFn: ({ pageParam }) =>
      answerOf(
        operatorApi.GET('/api/admin/dead-letters', {
          params: { query: { status, limit: '50', ...filled({ before: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => (next === null ? undefined : String(next)),
    refetchInterval: ({ state: { data } }) => (data && data.pages.length > 1 ? false : 5000),
  });
  return (
    <>
      <PageHead
        title="Dead letters"
        lead="Work that failed for good. Its order has ended and given back what it held; nothing happens to it any more unless you say so."
      />
      <Tabs
        label="Which letters"
        options={views}
        value={status}
        onChange={value => filter.set({ status: value === 'COMPENSATED' ? '' : value })}
      />
      <Reading query={letters}>
        {({ pages }) => {
          const rows = pages.flatMap(page => page.deadLetters);
          if (rows.length === 0) return <NoLetters status={status} />;
          return (
            <>
              <DataTable label="Dead letters" columns={columns}>
                {rows.map(letter => (
                  <LetterRow key={letter.id} letter={letter} onOpen={() => setOpenId(letter.id)} />
                ))}
              </DataTable>
              <More pages={letters} />
            </>
          );
        }}
      </Reading>
      {openId !== undefined && <LetterView id={openId} onClose={() => setOpenId(undefined)} />}
    </>
  );
}

function LetterRow({ letter, onOpen }: { letter: DeadLetter; onOpen: () => void }) {
  const { tone, name } = statusWords[letter.status];
  return (
    <tr>
      <HeadCell>{letter.id}</HeadCell>
      <Cell>
        <Badge tone={tone}>{name}</Badge>
      </Cell>
      <Cell className="min-w-48">
        {letter.reason}
        <span className="line-clamp-1 text-note text-muted">{letter.error}</span>
      </Cell>
      <Cell className="max-w-40 truncate">{letter.shopperId}</Cell>
      <Cell isNumber>{letter.saleId}</Cell>
      <Cell>
        <When iso={letter.createdAt} isExact />
      </Cell>
      <Cell className="text-right">
        <Action weight="tool" aria-label={`Inspect letter ${letter.id}`} onClick={onOpen}>
          Inspect
        </Action>
      </Cell>
    </tr>
  );
}

function NoLetters({ status }: { status: DeadLetter['status'] }) {
  if (status === 'COMPENSATED') {
    return (
      <Empty title="Nothing waits for you">
        Letters appear here when an order, a payment or a refund has failed for good. Those that were dealt
        with are under the other tabs.
      </Empty>
    );
  }
  return <Empty title="No letter is in this state">Look under the other tabs.</Empty>;
}
