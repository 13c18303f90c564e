import type { Metadata } from 'next';
import { Suspense } from 'react';
import { NewSale } from '../../../../../console/sales/new-sale';

export const metadata: Metadata = { title: 'New sale' };

export default function Page() {
  return (
    <Suspense>
      <NewSale />
    </Suspense>
  );
}
