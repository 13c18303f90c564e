import { LRUCache } from 'lru-cache';
import { onlyRow } from '../platform/only-row.js';
import { inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import { announceSales } from './sales.js';

/** A product. `priceMinor` is in minor units of `currency` (ISO 4217). */
export type Product = {
  productId: number;
  name: string;
  description: string;
  imageUrl: string | null;
  priceMinor: number;
  currency: string;
};

export type NewProduct = Omit<Product, 'productId' | 'imageUrl' | 'description'> & {
  description?: string | undefined;
  imageUrl?: string | undefined;
  /** A product of a rehearsal: it appears in no list of the shop and counts towards no revenue. */
  isRehearsal?: boolean;
};

export async function createProduct(db: Queryable, product: NewProduct): Promise<Product> {
  const { rows } = await db.query<Product>(
    `insert into products (name, description, image_url, price_minor, currency, is_rehearsal)
     values ($1, $2, $3, $4, $5, $6)
     returning ${columns}`,
    [
      product.name,
      product.description ?? '',
      product.imageUrl ?? null,
      product.priceMinor,
      product.currency,
      product.isRehearsal ?? false,
    ],
  );
  return onlyRow(rows, 'insert into products');
}

/** Omitted fields do not change; null removes the picture. */
export type ProductChange = {
  [Field in Exclude<keyof Product, 'productId'>]?: Product[Field] | undefined;
};

/**
 * Changes the given fields of a product. Existing sales keep their price.
 *
 * @returns undefined if there is no such product.
 */
export async function changeProduct(
  pool: Pool,
  productId: number,
  change: ProductChange,
): Promise<Product | undefined> {
  const { name, description, imageUrl, priceMinor, currency } = change;
  return inTransaction(pool, async tx => {
    const { rows } = await tx.query<Product>(
      `update products set name = coalesce($2, name), description = coalesce($3, description),
         image_url = case when $4 then $5 else image_url end,
         price_minor = coalesce($6, price_minor), currency = coalesce($7, currency)
       where product_id = $1
       returning ${columns}`,
      [productId, name, description, imageUrl !== undefined, imageUrl, priceMinor, currency],
    );
    await announceSales(tx, productId);
    return rows[0];
  });
}

/** Ids of the shop's products in ascending order, at most `limit`, after the id `after`. */
export type ListProductIds = (after: number, limit: number) => Promise<readonly number[]>;

// For half a second, all shoppers who open the shop share one query per page.
const pageAgeMaxMs = 500;
const pagesMax = 1000;

export function createListProductIds(db: Queryable): ListProductIds {
  const pages = new LRUCache<string, Promise<readonly number[]>>({ max: pagesMax, ttl: pageAgeMaxMs });
  return (after, limit) => {
    const key = `${after}:${limit}`;
    const known = pages.get(key);
    if (known) return known;
    const page = readProductIds(db, after, limit);
    pages.set(key, page);
    // A failed read fails only the requests that waited for it, not later ones.
    page.catch(() => pages.delete(key));
    return page;
  };
}

async function readProductIds(db: Queryable, after: number, limit: number): Promise<readonly number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'list-products',
    text: `select product_id as id from products where product_id > $1 and not is_rehearsal
           order by product_id limit $2`,
    values: [after, limit],
  });
  return rows.map(({ id }) => id);
}

export async function readProducts(db: Queryable, productIds: readonly number[]): Promise<Product[]> {
  const { rows } = await db.query<Product>({
    name: 'read-products',
    text: `select ${columns} from products where product_id = any ($1::bigint[])`,
    values: [productIds],
  });
  return rows;
}

const columns = `product_id as "productId", name, description, image_url as "imageUrl", price_minor as "priceMinor", currency`;
