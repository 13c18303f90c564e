'use client';

import { useInfiniteQuery } from '@tanstack/react-query';
import { answerOf, type OperatorAction, operatorApi } from '../../api/operator';
import { Badge } from '../../ui/badge';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { More } from '../more';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { filled } from '../use-filter';

const columns = [
  { name: 'At' },
  { name: 'Operator' },
  { name: 'What' },
  { name: 'Result' },
  { name: 'From' },
  { name: 'With' },
];

/** What operators did. It was written down before it was done, so that nothing is missing. */
export function TrailView() {
  const trail = useInfiniteQuery({
    queryKey: ['trail'],
    queryFn: ({ pageParam }) =>
      answerOf(
        operatorApi.GET('/api/admin/actions', {
          params: { query: { limit: '50', ...filled({ before: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => (next === null ? undefined : String(next)),
  });
  return (
    <>
      <PageHead
        title="Trail"
        lead="What operators did, sign-ins too, written down before it was done and kept for ever."
      />
      <Reading query={trail}>
        {({ pages }) => {
          const rows = pages.flatMap(page => page.actions);
          if (rows.length === 0) return <Empty title="Nobody has done anything yet" />;
          return (
            <>
              <DataTable label="What operators did" columns={columns}>
                {rows.map(action => (
                  <ActionRow key={action.id} action={action} />
                ))}
              </DataTable>
              <More pages={trail} name="Show older actions" />
            </>
          );
        }}
      </Reading>
    </>
  );
}

function ActionRow({ action }: { action: OperatorAction }) {
  const [method = ''] = action.action.split(' ');
  return (
    <tr>
      <Cell>
        <When iso={action.at} isExact />
      </Cell>
      <HeadCell>{action.operator}</HeadCell>
      <Cell className="font-mono text-note break-all">
        {method} {action.target}
      </Cell>
      <Cell>
        {action.outcome === null ? (
          <Badge tone="bad">unknown</Badge>
        ) : (
          <Badge tone={action.outcome === 'ok' ? 'good' : 'bad'}>{action.outcome}</Badge>
        )}
      </Cell>
      <Cell className="font-mono text-note">{action.ip}</Cell>
      <Cell>
        {action.detail && (
          <details>
            <summary className="py-1 text-note">Details</summary>
            <p className="max-w-md font-mono text-note break-all">{action.detail}</p>
          </details>
        )}
      </Cell>
    </tr>
  );
}
