'use client';

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, type ListedSale, operatorApi } from '../../api/operator';
import { Action, ActionLink } from '../../ui/action';
import { Confirm } from '../../ui/confirm';
import { count } from '../../ui/format';

type Verb = 'pause' | 'resume' | 'end';

/** What can be done to a sale as it stands. */
export function SaleActions({ sale }: { sale: ListedSale }) {
  const [isEnding, setEnding] = useState(false);
  const change = useChangeSale(sale.id);
  const name = `${sale.productName}, sale ${sale.id}`;
  const button = (verb: Verb, text: string) => (
    <Action
      weight="tool"
      aria-label={`${text} ${name}`}
      aria-disabled={change.isPending}
      onClick={() => !change.isPending && change.mutate(verb)}
    >
      {text}
    </Action>
  );
  return (
    <div className="flex flex-wrap items-center justify-end gap-2">
      {change.error && !isEnding && (
        <p role="alert" className="text-note font-bold text-bad">
          {change.error.message}
        </p>
      )}
      {sale.state !== 'ended' && sale.status === 'active' && button('pause', 'Pause')}
      {sale.state !== 'ended' && sale.status === 'paused' && button('resume', 'Resume')}
      {sale.state !== 'ended' && (
        <Action weight="tool-danger" aria-label={`End ${name}`} onClick={() => setEnding(true)}>
          End
        </Action>
      )}
      <ActionLink weight="tool" href={`/admin/sales/new?from=${sale.id}`} name={`Clone ${name}`}>
        Clone
      </ActionLink>
      {isEnding && (
        <Confirm
          title={`End the sale of ${sale.productName}?`}
          action="End it for good"
          isBusy={change.isPending}
          problem={change.error?.message}
          onConfirm={() => change.mutate('end', { onSuccess: () => setEnding(false) })}
          onClose={() => setEnding(false)}
        >
          <p>
            Nobody can buy from it any more, and it can not be opened again. {count(sale.stock)} units stay
            unsold.
          </p>
          <p>
            Orders that were accepted are kept, and {count(sale.reserved)} units that are held can still be
            paid for until their time is over. To stop for a while, pause it instead.
          </p>
        </Confirm>
      )}
    </div>
  );
}

function useChangeSale(id: number) {
  const client = useQueryClient();
  const params = { path: { id: String(id) } };
  const calls = {
    pause: () => operatorApi.POST('/api/admin/sales/{id}/pause', { params }),
    resume: () => operatorApi.POST('/api/admin/sales/{id}/resume', { params }),
    end: () => operatorApi.POST('/api/admin/sales/{id}/end', { params }),
  };
  return useMutation({
    mutationFn: (verb: Verb) => answerOf(calls[verb]()),
    // Refused or not, the sale may stand otherwise than is shown.
    onSettled: () => client.invalidateQueries({ queryKey: ['sales'] }),
  });
}
