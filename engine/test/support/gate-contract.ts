import { describe, expect, it } from 'vitest';
import { expireHolds } from '../../src/ledger/expire.js';
import { readStock } from '../../src/ledger/stock.js';
import { until } from './condition.js';
import { createTestDatabase } from './database.js';
import { type GateProcess, startGateProcess } from './gate-rig.js';
import { createTestSale, type SaleOptions } from './sale.js';

/**
 * The guarantees of every gate, between the processes of one database. @param envOf its settings, made for each
 * test.
 */
export function describeGateContract(name: string, envOf: () => Promise<Record<string, string>>): void {
  async function start(options: SaleOptions = {}) {
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool, options);
    const env = await envOf();
    const one = await startGateProcess(url, env);
    const other = await startGateProcess(url, env);
    await one.views.read(sale.saleId);
    await other.views.read(sale.saleId);
    const ask = (from: GateProcess, shopperId = 'somebody', quantity = 1) =>
      from.gate.check(sale, shopperId, quantity, false);
    return { pool, sale, one, other, ask };
  }

  describe(`${name}: the contract of the gate`, () => {
    it('admits every request that can be granted', async () => {
      const { sale, one, other, ask } = await start({ allocation: 5, perUserLimit: 3 });

      for (const quantity of [1, 2, 3]) expect(await ask(other, 'a', quantity)).toBeUndefined();
      expect(await one.decide(sale.saleId, 'a', 2)).toBe('confirmed');
      expect(await ask(other, 'a', 1)).toBeUndefined();
      expect(await ask(other, 'b', 3)).toBeUndefined();
    });

    it('refuses at once, without a promise, what memory alone can decide', async () => {
      const { sale, one, ask } = await start({ allocation: 2, perUserLimit: 3 });
      await one.decide(sale.saleId, 'a');

      expect(ask(one, 'b', 4)).toBe('limit-reached');
      expect(ask(one, 'b', 2)).toBe('sold-out');
      expect(one.gate.check({ ...sale, status: 'paused' }, 'b', 4, false)).toBe('sale-not-open');
      const early = { ...sale, startsAt: new Date(Date.now() + 60_000) };
      expect(one.gate.check(early, 'b', 4, true)).toBe('sale-not-open');
    });

    it('leaves to the ledger what it cannot be sure of', async () => {
      const { sale, one, ask } = await start({ allocation: 1, startsInMs: -60_000 });
      await one.decide(sale.saleId, 'a');
      expect(ask(one)).toBe('sold-out');

      const atTheEdge = { ...sale, endsAt: new Date(Date.now() + 100) };
      expect(await one.gate.check(atTheEdge, 'b', 1, false)).toBeUndefined();
      const justOver = { ...sale, endsAt: new Date(Date.now() - 5000) };
      expect(await one.gate.check(justOver, 'b', 1, true)).toBeUndefined();
      expect(await one.gate.check(justOver, 'b', 1, false)).toBe('sale-not-open');
    });

    it('refuses a possible retry only for a reason that is final', async () => {
      const { pool, sale, one, ask } = await start({ allocation: 2, perUserLimit: 2 });
      const retry = (quantity: number) => one.gate.check(sale, 'b', quantity, true);
      expect(await one.decide(sale.saleId, 'a')).toBe('confirmed');
      await pool.query(`update sales set payment = 'required' where sale_id = $1`, [sale.saleId]);
      expect(await one.decide(sale.saleId, 'c')).toBe('reserved');

      // One unit is held and may return, the other never does.
      expect(ask(one, 'b', 1)).toBe('sold-out');
      expect(await retry(1)).toBeUndefined();
      expect(retry(2)).toBe('sold-out');
      expect(await one.gate.check({ ...sale, status: 'paused' }, 'b', 1, true)).toBeUndefined();
      expect(one.gate.check({ ...sale, status: 'ended' }, 'b', 1, true)).toBe('sale-not-open');
    });

    it('refuses in one process the units that another has sold', async () => {
      const { sale, one, other, ask } = await start({ allocation: 2 });
      await one.decide(sale.saleId, 'a', 2);

      await until('it is seen', async () => (await ask(other)) === 'sold-out');
      // A smaller request may still fit where a larger one does not.
      expect(await ask(other, 'b', 3)).toBe('sold-out');
    });

    it('admits again in every process when units return', async () => {
      const { pool, sale, one, other, ask } = await start({ allocation: 1, perUserLimit: 1 });
      await pool.query(`update sales set payment = 'required' where sale_id = $1`, [sale.saleId]);
      expect(await one.decide(sale.saleId, 'a')).toBe('reserved');
      expect(await one.decide(sale.saleId, 'a')).toBe('sold-out');
      await until('it is seen', async () => (await ask(other)) === 'sold-out');

      await pool.query(`update orders set expires_at = clock_timestamp() - interval '1 second'`);
      const { stock } = await expireHolds(pool, sale.saleId, 10);
      one.onStock(stock);

      expect(await ask(one, 'b')).toBeUndefined();
      await until('it admits the other', async () => (await ask(other, 'b')) === undefined);
      await until(
        'it admits the buyer who had them',
        async () => (await ask(other, 'a')) === undefined,
        10_000,
      );
    });

    it('never rejects its promise, and answers every request of a crowd', async () => {
      const { one, ask } = await start({ allocation: 5000 });
      const names = [
        '',
        ' ',
        '}{',
        '{0}',
        '1:1',
        'Zoë 🎟',
        'x'.repeat(200),
        ...Array.from({ length: 3000 }, (_, i) => `s-${i}`),
      ];

      const answers = await Promise.all(names.map(shopperId => ask(one, shopperId)));

      expect(new Set(answers)).toEqual(new Set([undefined]));
    });

    it('agrees with the ledger at rest, after a crowd in two processes', async () => {
      const { pool, sale, one, other } = await start({ allocation: 30, perUserLimit: 2 });
      const shoppers = Array.from({ length: 20 }, (_, i) => `shopper-${i}`);

      await Promise.all(
        [1, 2, 3].flatMap(quantity =>
          shoppers.map((shopperId, i) =>
            (i % 2 ? one : other).decide(sale.saleId, shopperId, (quantity % 2) + 1),
          ),
        ),
      );

      const stocks = await readStock(pool, [sale.saleId]);
      expect(await one.gate.countDisagreements(stocks)).toBe(0);
      expect(await other.gate.countDisagreements(stocks)).toBe(0);
    });

    // Takes the ten seconds within which it has to agree.
    it('is reported when it disagrees: the negative control', async () => {
      const { pool, sale, one } = await start({ allocation: 30 });
      const [stock] = await readStock(pool, [sale.saleId]);
      if (!stock) throw new Error('no stock');

      const moved = { ...stock, available: 7, sold: 23, version: stock.version + 1 };
      // Memory, and Redis where there is one.
      expect(await one.gate.countDisagreements([moved])).toBe(one.shared ? 2 : 1);
    });
  });
}
