'use client';

import type { Product } from '../../api/operator';
import { ActionLink } from '../../ui/action';
import { Cell, DataTable, HeadCell } from '../../ui/data-table';
import { money } from '../../ui/format';
import { Picture } from '../../ui/picture';
import { PlainLink } from '../../ui/plain-link';
import { Empty } from '../empty';
import { PageHead } from '../page-head';
import { Reading } from '../reading';
import { useProducts } from './use-products';

const add = (
  <ActionLink weight="tool-first" href="/admin/products/new">
    New product
  </ActionLink>
);

const columns = [
  { name: 'Picture', isHidden: true },
  { name: 'Product' },
  { name: 'Price', isNumber: true },
  { name: 'Sale' },
  { name: 'What to do', isHidden: true },
];

export function ProductsView() {
  const products = useProducts();
  return (
    <>
      <PageHead title="Products" lead="What is sold. A sale offers one of them for a while." actions={add} />
      <Reading query={products}>
        {rows =>
          rows.length === 0 ? (
            <Empty title="No product yet" actions={add}>
              Add what you want to sell, then make a sale of it.
            </Empty>
          ) : (
            <DataTable label="Products" columns={columns}>
              {rows.map(product => (
                <ProductRow key={product.id} product={product} />
              ))}
            </DataTable>
          )
        }
      </Reading>
    </>
  );
}

function ProductRow({ product }: { product: Product }) {
  return (
    <tr>
      <Cell className="w-16">
        <div className="w-11">
          <Picture id={product.id} url={product.imageUrl} shape="square" />
        </div>
      </Cell>
      <HeadCell className="min-w-52">
        {product.name}
        <span className="line-clamp-1 text-note font-normal text-muted">{product.description}</span>
      </HeadCell>
      <Cell isNumber>{money(product.priceMinor, product.currency)}</Cell>
      <Cell className="whitespace-nowrap">
        {product.sale ? (
          <PlainLink href={`/admin/sales/${product.sale.id}`} className="underline underline-offset-4">
            {saleWords[product.sale.state]}
          </PlainLink>
        ) : (
          <span className="text-muted">none</span>
        )}
      </Cell>
      <Cell className="text-right">
        <ActionLink weight="tool" href={`/admin/products/${product.id}`} name={`Edit ${product.name}`}>
          Edit
        </ActionLink>
      </Cell>
    </tr>
  );
}

const saleWords = { upcoming: 'upcoming', open: 'open', paused: 'paused', ended: 'over' } as const;
