import type { Metadata } from 'next';
import { EditProduct } from '../../../../../console/products/edit-product';

export const metadata: Metadata = { title: 'Product' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <EditProduct id={(await params).id} />;
}
