import type { Metadata } from 'next';
import { OrderView } from '../../../../shop/order-view';

export const metadata: Metadata = { title: 'Your order', robots: { index: false } };

export default async function OrderPage({ params }: { params: Promise<{ id: string }> }) {
  return <OrderView id={(await params).id} />;
}
