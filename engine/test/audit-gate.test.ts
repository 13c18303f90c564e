import { describe, expect, it } from 'vitest';
import { createStockViews } from '../src/admission/stock-views.js';
import { runAudit } from '../src/ledger/audit.js';
import type { Stock } from '../src/ledger/stock.js';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('14: the audit of a gate', () => {
  it.each<[string, Partial<Stock>]>([
    ['has a version that the ledger never had', { version: 999, available: 0 }],
    ["has the ledger's version, with other units", { available: 0 }],
    ['lags behind the ledger', { version: -1 }],
  ])('finds a view that %s and does not recover', async (_, wrong) => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 10 });
    const views = createStockViews(pool, () => true, 300);
    const countDisagreements = () =>
      runAudit(pool, { countDisagreements: views.countDisagreements }).then(
        ({ invariants }) => invariants.find(({ id }) => id === 14)?.violations,
      );
    const right = { saleId, allocation: 10, available: 10, reserved: 0, sold: 0, version: 0 };

    views.apply({ ...right, ...wrong });
    expect(await countDisagreements()).toBe(1);
    // The negative control: the reading that each engine makes every second.
    await views.refresh(pool);
    expect(await countDisagreements()).toBe(0);
  });

  it('waits until an engine that was told something wrong has recovered', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 10 });
    const api = await startTestApi(url);
    const stock = async () => (await api.request('GET', `/api/stock/${productId}`)).body.stock;
    const wrong = { saleId, allocation: 10, available: 0, reserved: 0, sold: 10, version: 999 };
    await until('its view is wrong', async () => {
      await pool.query('select pg_notify($1, $2)', ['doorbuster_stock', JSON.stringify(wrong)]);
      return (await stock()) === 0;
    });

    expect((await api.asOperator('GET', '/api/admin/audit')).body.ok).toBe(true);

    expect(await stock()).toBe(10);
  });
});
