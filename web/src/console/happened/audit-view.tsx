'use client';

import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type Audit, answerOf, operatorApi } from '../../api/operator';
import { Action } from '../../ui/action';
import { Badge } from '../../ui/badge';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { count } from '../../ui/format';
import { Notice } from '../../ui/notice';
import { When } from '../../ui/when';
import { Empty } from '../empty';
import { PageHead } from '../page-head';

/** Proves from the database that nothing was oversold, lost or charged twice, while the sale runs. */
export function AuditView() {
  const audit = useMutation({ mutationFn: prove });
  return (
    <>
      <PageHead
        title="Audit"
        lead="Proves what is promised from the database itself, in one snapshot, while sales run. No purchase waits for it."
        actions={
          <Action
            weight="tool-first"
            aria-disabled={audit.isPending}
            onClick={() => !audit.isPending && audit.mutate()}
          >
            {audit.data ? 'Run it again' : 'Run the audit'}
          </Action>
        }
      />
      {audit.isPending && <Progress />}
      {audit.error && (
        <Notice tone="bad" title="The audit did not come to its end" isUrgent>
          {audit.error.message} That says nothing about the orders; run it again.
        </Notice>
      )}
      {audit.data && !audit.isPending && <Proof proof={audit.data} />}
      {audit.isIdle && (
        <Empty title="Not run yet">
          It goes through all sales, orders, payments and attempts: a second or so a million rows.
        </Empty>
      )}
    </>
  );
}

type ProofOf = Audit & { at: string; tookMs: number };

async function prove(): Promise<ProofOf> {
  const startedAtMs = performance.now();
  const audit = await answerOf(operatorApi.GET('/api/admin/audit'));
  return { ...audit, at: new Date().toISOString(), tookMs: performance.now() - startedAtMs };
}

function Progress() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(known => known + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="rounded-base border border-rule bg-surface p-5">
      <p role="status">Reading the ledger …</p>
      <progress aria-label="Audit under way" className="mt-3 block h-2 w-full accent-accent" />
      <p className="mt-2 text-note text-muted tabular-nums">{seconds} s</p>
    </div>
  );
}

function Proof({ proof }: { proof: ProofOf }) {
  const broken = proof.invariants.filter(({ violations }) => violations > 0).length;
  return (
    <div className="flex flex-col gap-5">
      <Notice
        tone={proof.ok ? 'good' : 'bad'}
        title={proof.ok ? 'Everything holds' : `${broken} of ${proof.invariants.length} do not hold`}
        isUrgent={!proof.ok}
      >
        {proof.ok
          ? `All ${proof.invariants.length} were proved at `
          : 'Keep the database as it is and look at them one by one. Read at '}
        <When iso={proof.at} isExact />, in {(proof.tookMs / 1000).toFixed(1)} s.
      </Notice>
      <DataTable
        label="What must hold"
        columns={[
          { name: 'No.', isNumber: true },
          { name: 'What must hold' },
          { name: 'Violations', isNumber: true },
          { name: 'Result' },
        ]}
      >
        {proof.invariants.map(({ id, title, violations }) => (
          <tr key={id}>
            <Cell isNumber>{id}</Cell>
            <HeadCell className="min-w-60 font-normal">{title}</HeadCell>
            <Cell isNumber>{count(violations)}</Cell>
            <Cell>
              <Badge tone={violations === 0 ? 'good' : 'bad'}>{violations === 0 ? 'Holds' : 'Broken'}</Badge>
            </Cell>
          </tr>
        ))}
      </DataTable>
    </div>
  );
}
