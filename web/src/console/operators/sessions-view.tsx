'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, type OperatorSession, operatorApi } from '../../api/operator';
import { Action } from '../../ui/action';
import { Badge } from '../../ui/badge';
import { Confirm } from '../../ui/confirm';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { useOperator } from '../use-operator';

const columns = [
  { name: 'Operator' },
  { name: 'Signed in' },
  { name: 'Until' },
  { name: 'From' },
  { name: 'Browser' },
  { name: 'What to do', isHidden: true },
];

export function SessionsView() {
  const sessions = useQuery({
    queryKey: ['sessions'],
    queryFn: () => answerOf(operatorApi.GET('/api/admin/sessions', { params: { query: { limit: '1000' } } })),
    refetchInterval: 10_000,
  });
  const { data: me } = useOperator();
  return (
    <>
      <PageHead
        title="Sessions"
        lead="Who is signed in. A session that is revoked counts no more: here at once, in other processes within a second."
      />
      <Reading query={sessions}>
        {({ sessions: rows }) =>
          rows.length === 0 ? (
            <Empty title="Nobody is signed in by a session" />
          ) : (
            <DataTable label="Sessions of operators" columns={columns}>
              {rows.map(session => (
                <SessionRow key={session.id} session={session} isMine={session.id === me?.session?.id} />
              ))}
            </DataTable>
          )
        }
      </Reading>
    </>
  );
}

function SessionRow({ session, isMine }: { session: OperatorSession; isMine: boolean }) {
  return (
    <tr>
      <HeadCell className="whitespace-nowrap">
        {session.operator} {isMine && <Badge tone="live">This one</Badge>}
      </HeadCell>
      <Cell>
        <When iso={session.createdAt} isExact />
      </Cell>
      <Cell>
        <When iso={session.expiresAt} isExact />
      </Cell>
      <Cell className="font-mono text-note">{session.ip}</Cell>
      <Cell className="max-w-64 truncate text-note text-muted">{session.userAgent}</Cell>
      <Cell className="text-right">
        <Revoke session={session} isMine={isMine} />
      </Cell>
    </tr>
  );
}

function Revoke({ session, isMine }: { session: OperatorSession; isMine: boolean }) {
  const [isAsking, setAsking] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      answerOf(operatorApi.DELETE('/api/admin/sessions/{id}', { params: { path: { id: session.id } } })),
    onSuccess: () => setAsking(false),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  });
  return (
    <>
      <Action
        weight="tool-danger"
        aria-label={`Revoke the session of ${session.operator} from ${session.ip}`}
        onClick={() => setAsking(true)}
      >
        Revoke
      </Action>
      {isAsking && (
        <Confirm
          title="Revoke this session?"
          action="Revoke it"
          isBusy={revoke.isPending}
          problem={revoke.error?.message}
          onConfirm={() => revoke.mutate()}
          onClose={() => setAsking(false)}
        >
          <p>
            {isMine
              ? 'It is the one that you work with: you are signed out.'
              : `${session.operator} has to sign in again there.`}
          </p>
        </Confirm>
      )}
    </>
  );
}
