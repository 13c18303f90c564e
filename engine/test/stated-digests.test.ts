import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { buy, card, roads, unitsByKind } from './support/digest-limits.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('a sale with limits per payment fingerprint and address', () => {
  it('refuses requests that omit either, in every way to buy, except retries of existing orders', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { perPaymentLimit: 2, perAddressLimit: 2 });
    const api = await startTestApi(url);
    const whole = { productId, userId: 'a', paymentFingerprint: card, addressKey: 'home' };
    for (const path of roads) {
      for (const lacking of ['paymentFingerprint', 'addressKey']) {
        const body = { ...whole, [lacking]: undefined };
        const answer = await buy(api, path, body, `${path} ${lacking}`.replaceAll(' ', '-'));
        expect(answer).toMatchObject({ status: 400, slug: 'limit-key-required' });
      }
    }
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 100 });

    const first = await buy(api, '/api/purchase', whole, 'k');
    const again = await buy(api, '/api/purchase', { productId, userId: 'a' }, 'k');
    expect(again.body.order?.id).toBe(first.body.order?.id);
    expect(await unitsByKind(pool)).toEqual({ payment: 1, address: 1 });
  });

  it('stores only digests, and only those that its limits need', async () => {
    const { url, pool } = await createTestDatabase();
    const counting = await createTestSale(pool, { perPaymentLimit: 2 });
    const plain = await createTestSale(pool);
    const api = await startTestApi(url);
    const stated = { userId: 'a', paymentFingerprint: card, addressKey: '12 Acacia Avenue' };
    for (const { productId } of [counting, plain]) await buy(api, '/api/purchase', { ...stated, productId });

    const { rows } = await pool.query<{ payment_digest: string | null; address_digest: string | null }>(
      'select payment_digest, address_digest from orders order by sale_id',
    );
    expect(rows).toEqual([
      { payment_digest: expect.stringMatching(/^[\w-]{22}$/), address_digest: null },
      { payment_digest: null, address_digest: null },
    ]);
    expect(await unitsByKind(pool)).toEqual({ payment: 1 });
  });

  it('the ledger grants nothing to a purchase without digests if its sale counts by them', async () => {
    const { pool } = await createTestDatabase();
    const counting = await createTestSale(pool, { perAddressLimit: 2 });
    const plain = await createTestSale(pool);
    const outcomes = async ({ saleId }: { saleId: number }) => {
      const { rows } = await pool.query<{ outcomes: string[] }>(
        'select outcomes from decide($1, array[gen_random_uuid()], array[$2], array[1], array[0], null, null)',
        [saleId, 'a'],
      );
      return rows[0]?.outcomes;
    };
    expect(await outcomes(counting)).toEqual(['address-limit-reached']);
    expect(await outcomes(plain)).toEqual(['confirmed']);
  });
});
