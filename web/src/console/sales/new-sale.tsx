'use client';

import { useSearchParams } from 'next/navigation';
import { ActionLink } from '../../ui/action';
import { Empty } from '../empty';
import { PageHead } from '../page-head';
import { useProducts } from '../products/use-products';
import { Reading } from '../reading';
import { SaleForm } from './sale-form';
import { useSale } from './use-sales';

/** A new sale, or one on the terms of another. */
export function NewSale() {
  const from = useSearchParams().get('from') ?? '';
  const products = useProducts();
  const clone = useSale(from);
  return (
    <>
      <PageHead
        title={from === '' ? 'New sale' : 'Clone a sale'}
        lead={
          from === ''
            ? 'It opens and closes by itself, at the times that you say.'
            : `On the terms of sale ${from}, in a window of the same length. Change what you like; the other sale stays as it is.`
        }
      />
      <Reading query={products}>
        {all => {
          if (all.length === 0) return <NoProduct />;
          if (from === '') return <SaleForm products={all} clone={undefined} />;
          return <Reading query={clone}>{sale => <SaleForm products={all} clone={sale} />}</Reading>;
        }}
      </Reading>
    </>
  );
}

function NoProduct() {
  return (
    <Empty
      title="There is nothing to sell yet"
      actions={
        <ActionLink weight="tool-first" href="/admin/products/new">
          Add a product
        </ActionLink>
      }
    >
      A sale offers a product. Add one, then come back.
    </Empty>
  );
}
