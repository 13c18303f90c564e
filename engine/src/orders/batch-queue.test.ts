import { describe, expect, it } from 'vitest';
import { createLedger, createQueue, request, turn } from '../../test/support/held-ledger.js';

describe('the decision queue', () => {
  it('puts requests that arrive while a batch commits into the next batch, in order of arrival', async () => {
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

  it('sends one batch per sale at a time, and does not let one sale wait for another', async () => {
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

  it('puts at most batchMax requests into one batch', async () => {
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

  it('refuses requests beyond queueMax at once, and accepts requests again when there is room', async () => {
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

  it('bounds the share of each sale, so that another sale still gets in while several hang', async () => {
    const ledger = createLedger();
    const queueMax = 60;
    const queue = createQueue(ledger.decide, { queueMax });
    const answers = [1, 2, 3].map(saleId => queue.join(saleId, request(`first of ${saleId}`)));
    await ledger.called(3);

    // Their batches hang, and each sale has enough requests to fill the whole queue.
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

  it('gives a single sale nine tenths of its places', async () => {
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

  it('is drained once no request waits or is being decided', async () => {
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
