'use client';

import type { Progress } from '@doorbuster/client';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Order } from '../api/client';
import { beginPayment, endPayment, findPayment } from './kept';
import { type Failure, isOver, sendPayment } from './send';
import { refreshAfterPurchase } from './use-stock';

/** Pays for a hold, once however often it is asked to; a payment that a reload interrupted goes on by itself. */
export function usePayment(order: Order, code: string | undefined) {
  const client = useQueryClient();
  const [progress, setProgress] = useState<Progress>();
  const [refused, setRefused] = useState<Failure>();
  const isUnderWay = useRef(false);
  const { id, productId } = order;

  const pay = useCallback(
    async (method: string) => {
      if (isUnderWay.current || code === undefined) return;
      isUnderWay.current = true;
      setRefused(undefined);
      const { key, isResumed } = beginPayment(id, method);
      const outcome = await sendPayment({ code, key, method }, setProgress);
      if (isOver(outcome, isResumed)) endPayment(id);
      await refreshAfterPurchase(client, productId);
      isUnderWay.current = false;
      setProgress(undefined);
      if (outcome.kind !== 'granted') setRefused(outcome);
    },
    [client, code, id, productId],
  );

  useEffect(() => {
    const interrupted = findPayment(id);
    if (interrupted) void pay(interrupted.method);
  }, [id, pay]);

  return { progress, refused, pay: (method: string) => void pay(method) };
}
