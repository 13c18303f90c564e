import type { Metadata } from 'next';
import { OrdersView } from '../../../shop/orders-view';

export const metadata: Metadata = { title: 'Your orders' };

export default function OrdersPage() {
  return (
    <>
      <h1 className="mb-10 text-headline">Your orders</h1>
      <OrdersView />
    </>
  );
}
