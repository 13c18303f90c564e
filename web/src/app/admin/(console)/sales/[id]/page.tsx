import type { Metadata } from 'next';
import { SaleView } from '../../../../../console/sales/sale-view';

export const metadata: Metadata = { title: 'Sale' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <SaleView id={(await params).id} />;
}
