'use client';

import type { Progress } from '@doorbuster/client';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useCallback, useEffect, useRef, useState } from 'react';
import { beginIntent, endIntent, findIntent, type Intent, keepCode, type Way } from './kept';
import { type Failure, isOver, sendIntent } from './send';
import { refreshAfterPurchase } from './use-stock';

export type Purchase = {
  progress: Progress | undefined;
  /** How the last try ended, unless it was granted: then the order's page is on its way. */
  refused: Failure | undefined;
  /** An earlier purchase whose outcome is open; it comes first. */
  open: Intent | undefined;
  buy(way: Way, quantity: number): void;
  dismiss(): void;
};

/** Buys a product, once however often it is asked to; a purchase that a reload interrupted goes on by itself. */
export function usePurchase(productId: number): Purchase {
  const client = useQueryClient();
  const router = useRouter();
  const [progress, setProgress] = useState<Progress>();
  const [refused, setRefused] = useState<Purchase['refused']>();
  const [open, setOpen] = useState<Intent>();
  const isUnderWay = useRef(false);
  const isGranted = useRef(false);

  const pursue = useCallback(
    async (intent: Intent) => {
      if (isUnderWay.current) return;
      isUnderWay.current = true;
      setRefused(undefined);
      const outcome = await sendIntent(intent, setProgress);
      void refreshAfterPurchase(client, productId);
      if (outcome.kind === 'granted') {
        const { orderId, code } = outcome.value;
        if (code !== undefined) keepCode(orderId, code);
        // Still under way: a press or a reload that comes before the next page is there belongs to this purchase.
        isGranted.current = true;
        return router.push(`/orders/${orderId}`);
      }
      if (isOver(outcome, intent.isResumed)) endIntent(productId);
      setOpen(findIntent(productId));
      isUnderWay.current = false;
      setProgress(undefined);
      setRefused(outcome);
    },
    [client, productId, router],
  );

  useEffect(() => {
    const interrupted = findIntent(productId);
    if (interrupted) void pursue(interrupted);
    return () => {
      if (isGranted.current) endIntent(productId);
    };
  }, [productId, pursue]);

  return {
    progress,
    refused,
    open,
    buy: (way, quantity) => void pursue(beginIntent({ way, productId, quantity })),
    dismiss: () => setRefused(undefined),
  };
}
