'use client';

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { answerOf, type ListedSale, operatorApi } from '../../api/operator';
import { filled } from '../use-filter';

const readEveryMs = 3000;
const pageSize = '50';

/** Sales of a state, or all, the one made last first; what sells is read again while one looks at it. */
export function useSales(state: ListedSale['state'] | '') {
  return useInfiniteQuery({
    queryKey: ['sales', 'list', state],
    queryFn: ({ pageParam }) =>
      answerOf(
        operatorApi.GET('/api/admin/sales', {
          params: {
            query: { limit: pageSize, ...(state && { state }), ...filled({ before: pageParam }) },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => (next === null ? undefined : String(next)),
    // Further pages are of the past.
    refetchInterval: ({ state: { data } }) => (data && data.pages.length > 1 ? false : readEveryMs),
  });
}

export function useSale(id: string) {
  return useQuery({
    queryKey: ['sales', 'one', id],
    queryFn: () => answerOf(operatorApi.GET('/api/admin/sales/{id}', { params: { path: { id } } })),
    refetchInterval: readEveryMs,
    enabled: id !== '',
  });
}
