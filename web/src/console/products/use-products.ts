'use client';

import { useQuery } from '@tanstack/react-query';
import { answerOf, operatorApi, type Product } from '../../api/operator';

// A catalogue of drops: a thousand products are ten pages, read once.
const pagesMax = 10;

/** All products, by id. */
export function useProducts() {
  return useQuery({ queryKey: ['products'], queryFn: readProducts, staleTime: 10_000 });
}

async function readProducts(): Promise<Product[]> {
  const products: Product[] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { products: some, next } = await answerOf(
      operatorApi.GET('/api/products', { params: { query: { limit: '100', ...(after && { after }) } } }),
    );
    products.push(...some);
    if (next === null) break;
    after = String(next);
  }
  return products;
}
