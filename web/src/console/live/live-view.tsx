'use client';

import { useQuery } from '@tanstack/react-query';
import { answerOf, operatorApi } from '../../api/operator';
import { count } from '../../ui/format';
import { PageHead } from '../page-head';
import { Reading } from '../reading';

const readEveryMs = 2000;

export function LiveView() {
  const protection = useQuery({
    queryKey: ['protection'],
    queryFn: () => answerOf(operatorApi.GET('/api/admin/protection')),
    refetchInterval: readEveryMs,
  });
  return (
    <>
      <PageHead title="Live" lead="How the process that answers this page stands, read every two seconds." />
      <Reading query={protection}>
        {({ inFlight, shedding, refused }) => (
          <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-base border border-rule bg-rule sm:grid-cols-4">
            <Reads name="Requests in work" text={count(inFlight)} />
            <Reads name="Event loop behind" text={`${Math.round(shedding.lagMs)} ms`} />
            <Reads name="Oldest decision waits" text={`${Math.round(shedding.waitMs)} ms`} />
            <Reads
              name="Refused since the start"
              text={count(Object.values(refused).reduce((sum, value) => sum + value, 0))}
            />
          </dl>
        )}
      </Reading>
    </>
  );
}

function Reads({ name, text }: { name: string; text: string }) {
  return (
    <div className="bg-surface p-4">
      <dt className="text-note text-muted">{name}</dt>
      <dd className="figures mt-1 text-title">{text}</dd>
    </div>
  );
}
