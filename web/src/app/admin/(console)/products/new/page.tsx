import type { Metadata } from 'next';
import { PageHead } from '../../../../../console/page-head';
import { ProductForm } from '../../../../../console/products/product-form';

export const metadata: Metadata = { title: 'New product' };

export default function Page() {
  return (
    <>
      <PageHead title="New product" lead="It is in the shop as soon as a sale offers it." />
      <ProductForm />
    </>
  );
}
