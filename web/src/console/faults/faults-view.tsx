'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answerOf, type Fault, operatorApi, Refusal } from '../../api/operator';
import { Action } from '../../ui/action';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { clock } from '../../ui/format';
import { Notice } from '../../ui/notice';
import { Empty } from '../empty';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { FaultForm } from './fault-form';

/** Makes parts of the engine slow, failing or hanging, to see what shoppers would see. */
export function FaultsView() {
  const faults = useQuery({
    queryKey: ['faults'],
    queryFn: () => answerOf(operatorApi.GET('/api/admin/faults')),
    refetchInterval: ({ state: { error } }) => (isDisabled(error) ? false : 1000),
    retry: false,
  });
  return (
    <>
      <PageHead
        title="Faults"
        lead="Makes a part of the engine slow, failing or hanging for a while, in every process, so that you see what shoppers would see. No order is lost by it."
      />
      {isDisabled(faults.error) ? (
        <HowToEnable />
      ) : (
        <Reading query={faults}>
          {({ faults: set }) => (
            <div className="grid items-start gap-8 lg:grid-cols-[2fr_3fr]">
              <FaultForm />
              <FaultList faults={set} />
            </div>
          )}
        </Reading>
      )}
    </>
  );
}

function isDisabled(error: Error | null): boolean {
  return error instanceof Refusal && error.slug === 'faults-disabled';
}

function HowToEnable() {
  return (
    <Empty title="Faults on demand are not enabled here">
      <p>
        Start the engine with <code>FAULTS_ENABLED=true</code>, on a machine where nobody buys for real. With{' '}
        <code>NODE_ENV=production</code> it refuses to start with them.
      </p>
    </Empty>
  );
}

function FaultList({ faults }: { faults: readonly Fault[] }) {
  const clear = useClear();
  if (faults.length === 0) {
    return (
      <Empty title="Nothing is broken on purpose">Set a fault, then watch the live page or the shop.</Empty>
    );
  }
  return (
    <div>
      {clear.error && (
        <Notice tone="bad" title="The faults go on" isUrgent>
          {clear.error.message}
        </Notice>
      )}
      <DataTable
        label="Faults that are set"
        columns={[
          { name: 'Place' },
          { name: 'Effect' },
          { name: 'Share', isNumber: true },
          { name: 'Ends in', isNumber: true },
          { name: 'What to do', isHidden: true },
        ]}
      >
        {faults.map(({ place, effect, latencyMs, share, remainingMs }, position) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two faults may be the same in everything.
          <tr key={position}>
            <HeadCell>{place}</HeadCell>
            <Cell>
              {effect}
              {latencyMs !== undefined && `, ${latencyMs} ms`}
            </Cell>
            <Cell isNumber>{Math.round(share * 100)} %</Cell>
            <Cell isNumber>{clock(remainingMs)}</Cell>
            <Cell className="text-right">
              <Action weight="tool" aria-label={`End faults of ${place}`} onClick={() => clear.mutate(place)}>
                End
              </Action>
            </Cell>
          </tr>
        ))}
      </DataTable>
      <Action weight="tool-danger" className="mt-4" onClick={() => clear.mutate(undefined)}>
        End all faults
      </Action>
    </div>
  );
}

function useClear() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (place: Fault['place'] | undefined) =>
      answerOf(operatorApi.DELETE('/api/admin/faults', { params: { query: place ? { place } : {} } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['faults'] }),
  });
}
