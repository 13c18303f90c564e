'use client';

import { isOpen } from '@doorbuster/client';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type Attempt, api, type Order, type Stock } from '../api/client';
import { hasSession } from './kept';

/** 401 is nobody's failure: somebody who has bought nothing yet has no session. */
class Refused extends Error {
  constructor(readonly status: number) {
    super(`answered ${status}`);
  }
}

/** My orders, newest first; of one product if one is given. */
export function useOrders(productId?: number) {
  return useQuery({
    queryKey: ['orders', productId ?? 'all'],
    queryFn: async (): Promise<Order[]> => {
      if (!hasSession()) return [];
      const query = productId === undefined ? {} : { productId: String(productId) };
      const { data, response } = await api.GET('/api/orders', { params: { query } });
      if (response.status === 401) return [];
      if (!data) throw new Refused(response.status);
      return data.orders;
    },
    refetchInterval: query => (query.state.data?.some(isOpen) ? 5000 : false),
  });
}

/** Why tries have failed, newest first. */
export function useRefusedAttempts() {
  return useQuery({
    queryKey: ['orders', 'attempts'],
    queryFn: async (): Promise<Attempt[]> => {
      if (!hasSession()) return [];
      const { data, response } = await api.GET('/api/attempts', { params: { query: { limit: '100' } } });
      if (response.status === 401) return [];
      if (!data) throw new Refused(response.status);
      return data.attempts.filter(({ outcome }) => !grants.has(outcome));
    },
    // Refused attempts are written in bulk, a moment after their answer.
    refetchInterval: 5000,
  });
}

const grants = new Set(['confirmed', 'reserved', 'queued', 'replayed']);

/** Units of the sale that are in my name: bought, held, or waiting in the queue. */
export function unitsInMyName(orders: readonly Order[], { startsAt, endsAt }: Stock): number {
  return orders
    .filter(order => isOpen(order) || order.status === 'CONFIRMED')
    .filter(({ createdAt }) => createdAt >= startsAt && createdAt < endsAt)
    .reduce((sum, { quantity }) => sum + quantity, 0);
}

const orderKey = (id: string) => ['orders', 'one', id] as const;

/** One of my orders, told of each change by its stream, and asked for now and then in case that is down. */
export function useOrder(id: string) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: orderKey(id),
    queryFn: async (): Promise<Order | 'unknown'> => {
      const { data, response } = await api.GET('/api/orders/{id}', { params: { path: { id } } });
      if (data) return data;
      if ([400, 401, 403, 404].includes(response.status)) return 'unknown';
      throw new Refused(response.status);
    },
    refetchInterval: ({ state: { data } }) => (data && data !== 'unknown' && isOpen(data) ? 4000 : false),
    retry: 10,
  });
  const isFollowed = query.data !== undefined && query.data !== 'unknown' && isOpen(query.data);
  const [follows, setFollows] = useState(false);
  useEffect(() => {
    if (!isFollowed) return;
    const source = new EventSource(`/api/orders/${id}/events`);
    source.addEventListener('status', () => void client.invalidateQueries({ queryKey: orderKey(id) }));
    source.addEventListener('open', () => setFollows(true));
    source.addEventListener('error', () => setFollows(false));
    return () => {
      source.close();
      setFollows(false);
    };
  }, [client, id, isFollowed]);
  return { ...query, follows };
}
