import { describe, expect, it } from 'vitest';
import { until } from '../../test/support/condition.js';
import type { Decide, Decision, PurchaseRequest } from '../ledger/decide.js';
import { ConnectError } from '../platform/postgres.js';
import { type BatchQueueOptions, createBatchQueue } from './batch-queue.js';
import { createStuckSales } from './stuck-sales.js';

const stock = { saleId: 1, allocation: 10, available: 10, reserved: 0, sold: 0, version: 1 };

describe('the decision queue', () => {
  it('decides what arrives while a batch commits in the next one, in order of arrival', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide);

    const first = queue.join(1, request('a'));
    await ledger.called(1);
    const rest = ['b', 'c', 'd'].map(name => queue.join(1, request(name)));
    ledger.commit();
    await ledger.called(2);
    ledger.commit();
    await Promise.all([first, ...rest]);

    expect(ledger.batches).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('answers only after the commit', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide);
    let isAnswered = false;

    const answer = queue.join(1, request('a')).then(outcome => {
      isAnswered = true;
      return outcome;
    });
    await ledger.called(1);
    expect(isAnswered).toBe(false);
    ledger.commit();

    expect((await answer).outcome).toBe('sold-out');
  });

  it('has one batch per sale under way, and does not let one sale wait for another', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide);

    const answers = [queue.join(1, request('a')), queue.join(2, request('b'))];
    await ledger.called(2);
    answers.push(queue.join(1, request('c')));
    await turn();

    expect(ledger.batches).toEqual([['a'], ['b']]);
    ledger.commit();
    await ledger.called(3);
    ledger.commit();
    await Promise.all(answers);
  });

  it('takes no more than batchMax into one batch', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide, { batchMax: 2 });

    const answers = ['a', 'b', 'c'].map(name => queue.join(1, request(name)));
    await ledger.called(1);
    ledger.commit();
    await ledger.called(2);
    ledger.commit();
    await Promise.all(answers);

    expect(ledger.batches).toEqual([['a', 'b'], ['c']]);
  });

  it('refuses the request after queueMax at once, and takes it again when there is room', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide, { queueMax: 2 });

    const answers = [queue.join(1, request('a')), queue.join(1, request('b'))];
    expect(await queue.join(1, request('c'))).toEqual({ outcome: 'overloaded' });
    await ledger.called(1);
    answers.push(queue.join(1, request('d')));
    ledger.commit();
    await ledger.called(2);
    ledger.commit();

    expect((await Promise.all(answers)).map(({ outcome }) => outcome)).toEqual([
      'sold-out',
      'sold-out',
      'sold-out',
    ]);
  });

  it('refuses those who wait behind a batch that hangs, when their deadline is over', async () => {
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

  it.each(['40001', '40P01', '55P03'])('sends a batch again after SQLSTATE %s', async code => {
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

  it('stops sending again at the deadline, and says that nothing was taken', async () => {
    const queue = createQueue(() => Promise.reject(databaseError('40001')), { deadlineMs: 60 });

    expect(await queue.join(1, request('a'))).toEqual({ outcome: 'overloaded' });
  });

  it('says "unknown" when a connection was cut and the deadline came before anybody could ask', async () => {
    const queue = createQueue(() => Promise.reject(new Error('Connection terminated unexpectedly')), {
      deadlineMs: 60,
    });

    expect(await queue.join(1, request('a'))).toEqual({ outcome: 'unknown' });
  });

  it('does not say "unknown" when the statement can not have been sent', async () => {
    const refused = new ConnectError(new Error('connect ECONNREFUSED'));
    const queue = createQueue(() => Promise.reject(refused), { deadlineMs: 60 });

    expect(await queue.join(1, request('a'))).toEqual({ outcome: 'overloaded' });
  });

  it('halves a batch that PostgreSQL refuses until the one poisonous request stands alone', async () => {
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
    'sends a batch once and answers all of it when the ledger is broken (%s), and tries again with the next',
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

  it('gives each sale its share of the room, so that however many hang, the next still gets in', async () => {
    const ledger = createLedger();
    const queueMax = 60;
    const queue = createQueue(ledger.decide, { queueMax });
    const answers = [1, 2, 3].map(saleId => queue.join(saleId, request(`first of ${saleId}`)));
    await ledger.called(3);

    // Their batches hang, and each sale asks for all of the room.
    for (let i = 0; i < 2 * queueMax; i++) {
      for (const saleId of [1, 2, 3]) answers.push(queue.join(saleId, request(`${saleId}-${i}`)));
    }
    const heldByThree = queue.waiting();
    expect(heldByThree).toBeGreaterThan(queueMax * 0.8);
    expect(heldByThree).toBeLessThan(queueMax);
    answers.push(queue.join(4, request('of the fourth')));
    await ledger.called(4);
    expect(ledger.batches.at(-1)).toEqual(['of the fourth']);

    ledger.commit();
    await ledger.called(7);
    ledger.commit();
    await Promise.all(answers);
  });

  it('has nine tenths of the room for a sale that is alone', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide, { queueMax: 40 });
    const answers = [queue.join(1, request('first'))];
    await ledger.called(1);
    for (let i = 0; i < 100; i++) answers.push(queue.join(1, request(`${i}`)));
    expect(queue.waiting()).toBe(36);
    expect(queue.inHand(1)).toBe(37);
    ledger.commit();
    await ledger.called(2);
    ledger.commit();
    await Promise.all(answers);
    await queue.drained();
    expect(queue.inHand(1)).toBe(0);
  });

  it('is drained when nothing waits and nothing is being decided', async () => {
    const ledger = createLedger();
    const queue = createQueue(ledger.decide);
    let isDrained = false;

    const answer = queue.join(1, request('a'));
    const drained = queue.drained().then(() => {
      isDrained = true;
    });
    await ledger.called(1);
    expect(isDrained).toBe(false);
    ledger.commit();
    await answer;
    await drained;
  });
});

/** A ledger whose every call waits until the test commits it or lets it fail. */
function createLedger() {
  const batches: string[][] = [];
  let calls: { commit: () => void; fail: (error: Error) => void }[] = [];
  const decide: Decide = (saleId, requests) => {
    batches.push(requests.map(({ shopperId }) => shopperId));
    return new Promise((resolve, reject) => {
      const decisions = requests.map(() => ({ outcome: 'sold-out' as const }));
      calls.push({ commit: () => resolve({ decisions, stock: { ...stock, saleId } }), fail: reject });
    });
  };
  const settle = (how: (call: (typeof calls)[number]) => void) => {
    for (const call of calls) how(call);
    calls = [];
  };
  return {
    decide,
    batches,
    commit: () => settle(call => call.commit()),
    fail: (error: Error) => settle(call => call.fail(error)),
    async called(times: number) {
      for (let turns = 0; batches.length < times; turns++) {
        if (turns > 100_000) throw new Error(`decide() was called ${batches.length} times, not ${times}`);
        await turn();
      }
    },
  };
}

function createQueue(decide: Decide, options: Partial<BatchQueueOptions<PurchaseRequest, Decision>> = {}) {
  const events = { onStock: () => {}, onEnd: () => {}, onPoison: () => {}, onBroken: () => {} };
  const bounds = { deadlineMs: 2000, queueMax: 100, batchMax: 100, stuckSales: createStuckSales(1) };
  return createBatchQueue({ decide, ...events, ...bounds, ...options });
}

function request(shopperId: string): PurchaseRequest {
  return { orderId: `order-of-${shopperId}`, shopperId, quantity: 1, receivedAtMs: 0 };
}

function databaseError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
