'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Order } from '../api/client';
import { Action } from '../ui/action';
import { Notice } from '../ui/notice';
import { type Failure, sendCancel } from './send';
import { refreshAfterPurchase } from './use-stock';
import { wordsFor } from './words';

/** Gives held units back. Asked twice, since nobody gets them back for sure. */
export function CancelHold({ order, label }: { order: Order; label: string }) {
  const client = useQueryClient();
  const [step, setStep] = useState<'idle' | 'asking' | 'sending'>('idle');
  const [refused, setRefused] = useState<Failure>();

  async function cancel(): Promise<void> {
    setStep('sending');
    const outcome = await sendCancel(order.id);
    setStep('idle');
    setRefused(outcome.kind === 'granted' ? undefined : outcome);
    await refreshAfterPurchase(client, order.productId);
  }

  if (refused) {
    const { title, text } = wordsFor(refused.kind === 'refused' ? refused.slug : undefined);
    return (
      <Notice tone="bad" title={title} isUrgent>
        {text}
      </Notice>
    );
  }
  if (step === 'idle') {
    return (
      <Action weight="quiet" className="self-start" onClick={() => setStep('asking')}>
        {label}
      </Action>
    );
  }
  return (
    <div className="flex flex-wrap items-center gap-3">
      <p>Give the units back?</p>
      <Action aria-disabled={step === 'sending'} onClick={() => step === 'asking' && void cancel()}>
        Yes, give back
      </Action>
      <Action weight="quiet" onClick={() => setStep('idle')}>
        Keep them
      </Action>
    </div>
  );
}
