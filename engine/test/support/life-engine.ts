import { changeSaleStatus, type SaleStatus } from '../../src/catalog/sales.js';
import { createAccept } from '../../src/ledger/accept.js';
import { addDeadLetter, discardDeadLetter, replayDeadLetter } from '../../src/ledger/dead-letters.js';
import { createDecide } from '../../src/ledger/decide.js';
import { expireHolds } from '../../src/ledger/expire.js';
import { createSettle, type OrderEvent } from '../../src/ledger/settle.js';
import type { Pool } from '../../src/platform/postgres.js';
import { lapse } from './holds.js';
import type { Ask, Entrance, LetterSource, ModelSale, PaymentWord } from './life.js';
import { compensateNext } from './order-acts.js';
import { createTestSale } from './sale.js';

export const priceMinor = 1999;

/** The ledger's own functions, with arguments and outcomes in the model's terms. */
export type LifeEngine = Awaited<ReturnType<typeof createLifeEngine>>;

export async function createLifeEngine(pool: Pool, terms: readonly ModelSale[]) {
  const saleIds = await createSales(pool, terms);
  // Dead letters may be left over from an aborted run.
  while (await compensateNext(pool));
  const idOf = (sale: number) => saleIds[sale] ?? 0;
  const { paymentIds, payWord } = createPaymentWords();

  async function decide(sale: number, asks: readonly (Ask & { entrance: Entrance })[]): Promise<string[]> {
    const requests = asks.map(({ shopper, ...ask }) => ({ ...ask, shopperId: shopper, receivedAtMs: 0 }));
    const { decisions } = await createDecide(pool)(idOf(sale), requests);
    return decisions.map(decided =>
      decided.outcome === 'reserved' && decided.paymentId !== null
        ? payWord(decided.paymentId)
        : decided.outcome,
    );
  }

  async function settle(sale: number, event: OrderEvent): Promise<string> {
    const [settled] = (await createSettle(pool)(idOf(sale), [event])).decisions;
    if (!settled) throw new Error('settle() returned no decision');
    return 'paymentId' in settled && settled.paymentId !== null
      ? payWord(settled.paymentId)
      : settled.outcome;
  }

  async function letterIds(): Promise<number[]> {
    const { rows } = await pool.query<{ id: number }>(
      'select dead_letter_id as id from dead_letters where sale_id = any ($1::bigint[]) order by id',
      [saleIds],
    );
    return rows.map(({ id }) => id);
  }

  return {
    decide,
    async accept(sale: number, asks: readonly Ask[]): Promise<string[]> {
      const requests = asks.map(({ shopper, ...ask }) => ({ ...ask, shopperId: shopper, receivedAtMs: 0 }));
      return (await createAccept(pool)(idOf(sale), requests)).decisions.map(({ outcome }) => outcome);
    },
    redeem: ({ orderId, sale }: Ask, shopperId: string, key: string) =>
      settle(sale, { event: 'redeem', orderId, shopperId, key, paymentMethod: null }),
    cancel: ({ orderId, sale }: Ask, shopperId: string) =>
      settle(sale, { event: 'cancel', orderId, shopperId }),
    hear({ orderId, sale }: Ask, payment: number, word: PaymentWord, amountMinor: number): Promise<string> {
      const paymentId = paymentIds[payment] ?? '';
      const saidNo = { orderId, paymentId, reference: null, reason: 'as the provider says' };
      const saidYes = { event: 'captured', orderId, paymentId, currency: 'EUR', reference: 'r' } as const;
      if (word === 'captured') return settle(sale, { ...saidYes, amountMinor });
      if (word === 'wrong-amount') return settle(sale, { ...saidYes, amountMinor: amountMinor + 1 });
      return settle(
        sale,
        word === 'refunded' ? { event: word, orderId, paymentId } : { event: word, ...saidNo },
      );
    },
    lapse: ({ orderId, sale }: Ask) => lapse(pool, idOf(sale), [orderId]),
    expire: async (sale: number) => String((await expireHolds(pool, idOf(sale), 1000)).expired),
    async addLetter({ orderId, sale }: Ask, source: LetterSource): Promise<void> {
      const why = { source, reason: `${source}-failed`, error: 'as the test says', deliveries: 1 };
      await addDeadLetter(pool, { saleId: idOf(sale), orderId, ...why });
    },
    compensate: async () => ((await compensateNext(pool)) ? 'compensated' : 'none'),
    async resolve(letter: number, how: 'replay' | 'discard'): Promise<string> {
      const letterId = (await letterIds())[letter] ?? 0;
      const resolved = how === 'replay' ? replayDeadLetter : discardDeadLetter;
      return (await resolved(pool, letterId, false)).outcome;
    },
    setStatus: async (sale: number, to: SaleStatus) => (await changeSaleStatus(pool, idOf(sale), to)).outcome,
    state: () => readState(pool, saleIds, paymentIds),
  };
}

async function createSales(pool: Pool, terms: readonly ModelSale[]): Promise<number[]> {
  const saleIds: number[] = [];
  for (const { allocation, limit, isPaid } of terms) {
    const payment = isPaid ? 'required' : 'none';
    const sale = await createTestSale(pool, { allocation, perUserLimit: limit, priceMinor, payment });
    saleIds.push(sale.saleId);
  }
  return saleIds;
}

/** The model numbers payments in the order in which they began, and does not know their ids. */
function createPaymentWords() {
  const paymentIds: string[] = [];
  return {
    paymentIds,
    payWord(paymentId: string): string {
      if (!paymentIds.includes(paymentId)) paymentIds.push(paymentId);
      return `pay ${paymentIds.indexOf(paymentId)}`;
    },
  };
}

async function readState(pool: Pool, saleIds: readonly number[], paymentIds: readonly string[]) {
  const { rows } = await pool.query<{ stock: unknown; orders: unknown; payments: unknown; letters: unknown }>(
    `select
       (select json_agg(json_build_object('available', available, 'reserved', reserved, 'sold', sold) order by sale_id)
        from stock where sale_id = any ($1::bigint[])) as stock,
       (select coalesce(json_object_agg(order_id, status || ' ' || coalesce(reason, 'null')), '{}')
        from orders where sale_id = any ($1::bigint[])) as orders,
       (select coalesce(json_agg(status order by array_position($2::uuid[], payment_id)), '[]')
        from payments where sale_id = any ($1::bigint[])) as payments,
       (select coalesce(json_agg(status order by dead_letter_id), '[]')
        from dead_letters where sale_id = any ($1::bigint[])) as letters`,
    [saleIds, paymentIds],
  );
  return rows[0];
}
