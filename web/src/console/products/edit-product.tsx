'use client';

import { useQuery } from '@tanstack/react-query';
import { answerOf, operatorApi } from '../../api/operator';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { ProductForm } from './product-form';

export function EditProduct({ id }: { id: string }) {
  const product = useQuery({
    queryKey: ['products', id],
    queryFn: () => answerOf(operatorApi.GET('/api/products/{id}', { params: { path: { id } } })),
  });
  return (
    <Reading query={product}>
      {known => (
        <>
          <PageHead title={known.name} lead="The shop shows a change within a second." />
          <ProductForm product={known} />
        </>
      )}
    </Reading>
  );
}
