import { describe, expect, it } from 'vitest';
import { until } from '../../test/support/condition.js';
import { createLedger, createQueue, databaseError, request, stock } from '../../test/support/held-ledger.js';
import type { Decide, Decision, PurchaseRequest } from '../ledger/decide.js';
import { ConnectError } from '../platform/postgres.js';
import { createSendBatch } from './send-batch.js';
import { createStuckSales } from './stuck-sales.js';

describe('a decision queue whose batch hangs or fails', () => {
  it('refuses requests behind a hanging batch at their deadline', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide, { deadlineMs: 80 });

    const hanging = queue.join(1, request('a'));
    await ledger.called(1);
    const startedAtMs = performance.now();
    expect(await queue.join(1, request('b'))).toEqual({ outcome: 'overloaded' });
    expect(performance.now() - startedAtMs).toBeLessThan(80 + 500);
    expect(queue.waiting()).toBe(0);

    ledger.commit();
    expect((await hanging).outcome).toBe('sold-out');
    await queue.drained();
    expect(ledger.batches).toEqual([['a']]);
  });

  it.each(['40001', '40P01', '55P03'])('retries a batch after SQLSTATE %s', async code => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide);

    const answer = queue.join(1, request('a'));
    await ledger.called(1);
    ledger.fail(databaseError(code));
    await ledger.called(2);
    ledger.commit();

    expect((await answer).outcome).toBe('sold-out');
    expect(ledger.batches).toEqual([['a'], ['a']]);
  });

  it('stops retrying at the deadline, and answers that nothing was taken', async () => {
    const queue = createQueue(() => Promise.reject(databaseError('40001')), { deadlineMs: 60 });

    expect(await queue.join(1, request('a'))).toEqual({ outcome: 'overloaded' });
  });

  it('answers "unknown" if a connection was cut and the deadline passed before the outcome could be read', async () => {
    const queue = createQueue(() => Promise.reject(new Error('Connection terminated unexpectedly')), {
      deadlineMs: 60,
    });

    expect(await queue.join(1, request('a'))).toEqual({ outcome: 'unknown' });
  });

  it('does not answer "unknown" if the statement cannot have been sent', async () => {
    const refused = new ConnectError(new Error('connect ECONNREFUSED'));
    const queue = createQueue(() => Promise.reject(refused), { deadlineMs: 60 });

    expect(await queue.join(1, request('a'))).toEqual({ outcome: 'overloaded' });
  });

  it('halves a batch that PostgreSQL refuses until the poison request is alone', async () => {
    const poisoned: string[] = [];
    const decide: Decide = (saleId, requests) =>
      requests.some(({ shopperId }) => shopperId === 'poison')
        ? Promise.reject(databaseError('22021'))
        : Promise.resolve({
            decisions: requests.map(() => ({ outcome: 'sold-out' })),
            stock: { ...stock, saleId },
          });
    const queue = createQueue(decide, { onPoison: ({ shopperId }) => poisoned.push(shopperId) });

    const names = ['a', 'b', 'poison', 'd', 'e', 'f', 'g'];
    const outcomes = await Promise.all(names.map(name => queue.join(1, request(name))));

    const expected = names.map(name => (name === 'poison' ? 'undecided' : 'sold-out'));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(expected);
    expect(poisoned).toEqual(['poison']);
  });

  it.each(['42883', '42501', '58030', 'XX000'])(
    'sends a batch once and refuses all of it if the ledger is broken (%s), and tries again with the next batch',
    async code => {
      const broken: unknown[] = [];
      const ledger = createLedger();
      const queue = createQueue(ledger.decide, { onBroken: error => broken.push(error) });

      const answers = ['a', 'b', 'c', 'd'].map(name => queue.join(1, request(name)));
      await ledger.called(1);
      ledger.fail(databaseError(code));
      expect(await Promise.all(answers)).toEqual(answers.map(() => ({ outcome: 'overloaded' })));
      expect(ledger.batches).toEqual([['a', 'b', 'c', 'd']]);
      expect(broken).toHaveLength(1);

      const next = queue.join(1, request('e'));
      await until('the next batch is sent', () => ledger.batches.length === 2);
      ledger.commit();
      expect((await next).outcome).toBe('sold-out');
    },
  );

  it('never sends a committed batch again, even if an answer fails', async () => {
    const ledger = createLedger();
    const ends: unknown[] = [];
    const sendBatch = createSendBatch<PurchaseRequest, Decision>({
      decide: ledger.decide,
      onStock: () => {},
      onEnd: error => ends.push(error),
      onPoison: () => {},
      onBroken: () => {},
      stuckSales: createStuckSales(2),
    });
    const answer = () => {
      throw new Error('an answer failed');
    };
    const waiter = { request: request('a'), joinedAtMs: 0, deadlineAtMs: Number.POSITIVE_INFINITY };

    const sent = sendBatch(1, [{ ...waiter, connection: undefined, answer }]);
    await ledger.called(1);
    ledger.commit();
    await expect(sent).rejects.toThrow('an answer failed');
    expect(ledger.batches).toEqual([['a']]);
    expect(ends).toEqual([undefined]);
  });
});
