'use client';

import { useQuery } from '@tanstack/react-query';
import { answerOf, operatorApi } from '../../api/operator';
import { Notice } from '../../ui/notice';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { PastRehearsals } from './past-rehearsals';
import { RehearsalForm } from './rehearsal-form';
import { RehearsalRun } from './rehearsal-run';
import { rehearsalsKey } from './rehearsals';

// As often as the engine writes down how it goes.
const readEveryMs = 500;
// Another operator may start one.
const idleReadEveryMs = 5000;

export function RehearsalView() {
  const rehearsals = useQuery({
    queryKey: rehearsalsKey,
    queryFn: () => answerOf(operatorApi.GET('/api/admin/rehearsals', { params: { query: { limit: '10' } } })),
    refetchInterval: ({ state: { data } }) =>
      data?.rehearsals[0]?.status === 'running' ? readEveryMs : idleReadEveryMs,
  });
  return (
    <>
      <PageHead
        title="Rehearsal"
        lead="Before a drop, see what the crowd will do to it. The load generator plays shoppers against a sale that nobody else sees, and judges every answer."
      />
      <Reading query={rehearsals}>
        {({ rehearsals: [latest, ...past], disabled }) => (
          <div className="flex flex-col gap-10">
            {latest && <RehearsalRun rehearsal={latest} />}
            {disabled !== null && (
              <Notice tone="plain" title="None can be started here">
                {disabled}
              </Notice>
            )}
            {disabled === null && latest?.status !== 'running' && <RehearsalForm />}
            {past.length > 0 && <PastRehearsals rehearsals={past} />}
          </div>
        )}
      </Reading>
    </>
  );
}
