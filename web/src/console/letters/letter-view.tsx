'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useRef } from 'react';
import { answerOf, type DeadLetter, operatorApi } from '../../api/operator';
import { Action } from '../../ui/action';
import { Badge } from '../../ui/badge';
import { Notice } from '../../ui/notice';
import { When } from '../../ui/when';
import { Facts } from '../facts';
import { Reading } from '../reading';
import { statusWords } from './status-words';

type Verb = 'replay' | 'discard';

/** A letter, all of it, and what can be done with it; a dry run says what would happen and changes nothing. */
export function LetterView({ id, onClose }: { id: number; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  const letter = useQuery({
    queryKey: ['letters', 'one', id],
    queryFn: () =>
      answerOf(operatorApi.GET('/api/admin/dead-letters/{id}', { params: { path: { id: String(id) } } })),
  });
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onClose={onClose}
      className="m-auto max-h-[90dvh] w-full max-w-2xl overflow-y-auto rounded-base border border-edge bg-paper p-6 text-dense text-ink backdrop:bg-slab/60"
    >
      <div className="mb-5 flex items-center justify-between gap-4">
        <h2 id={titleId} className="text-lead">
          Letter {id}
        </h2>
        <Action weight="tool" onClick={() => dialog.current?.close()}>
          Close
        </Action>
      </div>
      <Reading query={letter}>{known => <Inspected letter={known} />}</Reading>
    </dialog>
  );
}

function Inspected({ letter }: { letter: DeadLetter }) {
  const resolve = useResolve(letter.id);
  const { tone, name } = statusWords[letter.status];
  const isOpen = letter.status === 'NEW' || letter.status === 'COMPENSATED';
  const button = (verb: Verb, dryRun: boolean, text: string) => (
    <Action
      weight={dryRun ? 'tool' : verb === 'replay' ? 'tool-first' : 'tool-danger'}
      aria-disabled={resolve.isPending}
      onClick={() => !resolve.isPending && resolve.mutate({ verb, dryRun })}
    >
      {text}
    </Action>
  );
  return (
    <div className="flex flex-col gap-5">
      <Facts
        facts={[
          [
            'State',
            <Badge key="state" tone={tone}>
              {name}
            </Badge>,
          ],
          ['Why', letter.reason],
          ['Came from', sourceWords[letter.source]],
          ['Tries', letter.deliveries],
          ['Order', <code key="order">{letter.orderId}</code>],
          ['The order is', letter.orderStatus],
          ['Shopper', letter.shopperId],
          ['Units', letter.quantity],
          ['Sale', letter.saleId],
          ['Since', <When key="since" iso={letter.createdAt} isExact />],
          ...(letter.resolvedAt === null
            ? []
            : [['Dealt with', <When key="resolved" iso={letter.resolvedAt} isExact />] as const]),
        ]}
      />
      <section aria-label="The error" className="rounded-base bg-slab p-4 text-on-slab">
        <p className="mb-1 text-note text-on-slab-muted">The error</p>
        <p className="font-mono text-note break-words whitespace-pre-wrap">{letter.error}</p>
      </section>
      {resolve.error && (
        <Notice tone="bad" title="That was not possible" isUrgent>
          {resolve.error.message}
        </Notice>
      )}
      {resolve.data && <Outcome {...resolve.data} />}
      {isOpen && (
        <div className="flex flex-wrap gap-2">
          {button('replay', true, 'Dry run of a replay')}
          {button('replay', false, 'Replay')}
          {button('discard', true, 'Dry run of a discard')}
          {button('discard', false, 'Discard')}
        </div>
      )}
    </div>
  );
}

const sourceWords = { queue: 'the queue', payment: 'a payment', refund: 'a refund' } as const;

function Outcome(props: {
  outcome: 'replayed' | 'discarded' | 'already-resolved';
  dryRun: boolean;
  deadLetter: DeadLetter;
}) {
  const { outcome, dryRun, deadLetter } = props;
  if (outcome === 'already-resolved') {
    return (
      <Notice tone="plain" title="Somebody has dealt with it already">
        Nothing was changed.
      </Notice>
    );
  }
  const done = outcome === 'replayed' ? 'Replayed' : 'Discarded';
  return (
    <Notice tone={dryRun ? 'plain' : 'good'} title={dryRun ? `${done}, if you say so` : done}>
      {dryRun ? 'Nothing was changed. ' : ''}
      The order {dryRun ? 'would be' : 'is'} {deadLetter.orderStatus}
      {outcome === 'replayed' &&
        deadLetter.orderStatus === 'QUEUED' &&
        ', and decided in turn like any other'}
      .
    </Notice>
  );
}

function useResolve(id: number) {
  const client = useQueryClient();
  const params = { path: { id: String(id) } };
  return useMutation({
    mutationFn: ({ verb, dryRun }: { verb: Verb; dryRun: boolean }) =>
      answerOf(
        verb === 'replay'
          ? operatorApi.POST('/api/admin/dead-letters/{id}/replay', { params, body: { dryRun } })
          : operatorApi.POST('/api/admin/dead-letters/{id}/discard', { params, body: { dryRun } }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ['letters'] }),
  });
}
