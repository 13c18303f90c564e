'use client';

import { useQuery } from '@tanstack/react-query';
import { api, type Drop } from '../api/client';

/** A product with its terms; undefined until it is there. */
export function useDrop(productId: number): Drop | undefined {
  const { data } = useQuery({
    queryKey: ['drop', productId],
    queryFn: async () => {
      const { data: drop, response } = await api.GET('/api/products/{id}', {
        params: { path: { id: String(productId) } },
      });
      if (!drop) throw new Error(`the product was answered ${response.status}`);
      return drop;
    },
    staleTime: 60_000,
  });
  return data;
}
