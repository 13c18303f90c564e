import type { Metadata } from 'next';
import { Suspense } from 'react';
import { OrdersView } from '../../../../console/happened/orders-view';

export const metadata: Metadata = { title: 'Orders' };

export default function Page() {
  return (
    <Suspense>
      <OrdersView />
    </Suspense>
  );
}
