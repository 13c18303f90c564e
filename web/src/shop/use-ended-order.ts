'use client';

import { isOpen } from '@doorbuster/client';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Order } from '../api/client';
import { dropCode } from './kept';
import { refreshAfterPurchase } from './use-stock';

/** An order that has ended needs no code any more, and has moved the stock. */
export function useEndedOrder(order: Order | undefined): void {
  const client = useQueryClient();
  const endedId = order && !isOpen(order) ? order.id : undefined;
  const productId = order?.productId;
  useEffect(() => {
    if (endedId === undefined || productId === undefined) return;
    dropCode(endedId);
    void refreshAfterPurchase(client, productId);
  }, [client, endedId, productId]);
}
