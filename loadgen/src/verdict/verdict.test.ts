import { describe, expect, it } from 'vitest';
import type { Faults } from '../fake-shop/faults.js';
import { failed, runAgainst } from '../fake-shop/run-against.js';

const RACE = ['--scenario', 'race', '--shoppers', '60', '--units', '30'];
const SELLOUT = ['--scenario', 'sellout', '--requests', '2000', '--connections', '50', '--units', '250'];
const REHEARSAL = [
  ...['--scenario', 'rehearsal', '--visitors', '80', '--units', '60'],
  ...['--rate', '400', '--duration', '0.5', '--connections', '1'],
];
const THROUGHPUT = ['--scenario', 'throughput', '--requests', '1000', '--connections', '20'];

// Most of the time these tests wait for timeouts and for stock at rest, so they run side by side, each with its own
// shop.
describe.concurrent('an honest shop passes', () => {
  it.each([
    ['race', RACE, { confirmed: 30, 'sold-out': 30 }],
    ['race with several purchases', [...RACE, '--purchases', '3'], { confirmed: 30, 'sold-out': 150 }],
    ['race with enough for all', [...RACE, '--units', '200'], { confirmed: 60 }],
    ['sellout, over several pages of orders', SELLOUT, { 'sold-out': 1750, confirmed: 250 }],
    ['throughput', THROUGHPUT, { confirmed: 1000 }],
    ['constant', ['--scenario', 'constant', '--rate', '500', '--duration', '1'], { confirmed: 500 }],
    [
      'vus',
      ['--scenario', 'vus', '--rate', '2000', '--duration', '1'],
      { confirmed: 1850, 'limit-reached': 150 },
    ],
    ['rehearsal', REHEARSAL, { confirmed: 60, 'limit-reached': 100, 'sold-out': 40 }],
  ])('in %s', async (_name, args, outcomes) => {
    const report = await runAgainst({}, ...args);
    expect(failed(report)).toEqual([]);
    expect(report.verdict).toMatchObject({ result: 'pass', verified: true });
    expect(Object.fromEntries(report.outcomes.map(({ slug, count }) => [slug, count]))).toEqual(outcomes);
    expect(report.seen).toEqual({ keys: report.throughput.requests, endedSales: [3] });
  });

  it('when it closes every connection after one answer', async () => {
    const report = await runAgainst({ closeConnections: true }, ...RACE, '--purchases', '4');
    expect(failed(report)).toEqual([]);
    expect(report.connections.opened).toBeGreaterThanOrEqual(240);
  });

  it('without keys and without verification', async () => {
    const report = await runAgainst({ loseEvery: 5 }, ...RACE, '--no-keys', '--no-verify');
    expect(report.verdict).toMatchObject({ result: 'pass', verified: false });
    expect(report.seen.keys).toBe(0);
  });
});

describe.concurrent('a shop that breaks its promise fails', () => {
  it.each<[string, Faults, string]>([
    ['loses an acknowledged order', { loseEvery: 20 }, 'no acknowledged order lost'],
    ['oversells', { oversell: true }, 'not oversold'],
    ['undersells', { keepBack: 3 }, 'sold-out answers were true'],
    ['gives one order to two shoppers', { repeatEvery: 10 }, 'no order acknowledged twice'],
    ['sells to a shopper whom it refuses', { ghostEvery: 10 }, 'no unexplained orders'],
    ['sells to a shopper twice', { twinEvery: 10 }, 'no shopper above the limit'],
    [
      'records an order under another shopper',
      { misplaceEvery: 10 },
      'acknowledged orders match their answers',
    ],
    ['cancels a confirmed order', { cancelEvery: 10 }, 'acknowledged orders match their answers'],
    ['miscounts', { miscount: true }, 'stock equals the orders'],
    ['answers 500', { errorEvery: 30 }, 'only expected answers'],
    ['answers 503', { overloadedEvery: 30 }, 'only expected answers'],
    ['answers 200 without an order', { emptyEvery: 30 }, 'only expected answers'],
    ['cuts connections', { cutEvery: 30 }, 'only expected answers'],
    ['does not answer', { hangEvery: 30 }, 'only expected answers'],
  ])('it %s', async (_name, faults, expected) => {
    // Short only for requests that hang. A request that times out on a busy machine would excuse an unacknowledged
    // order.
    const report = await runAgainst(faults, ...RACE, '--timeout', faults.hangEvery ? '0.3' : '10');
    expect(failed(report)).toContain(expected);
    expect(report.verdict.result).toBe('fail');
  });

  it('its own audit reports a breach', async () => {
    const report = await runAgainst({ auditFails: true }, ...RACE, '--audit-within', '0.1');
    expect(failed(report)).toEqual(["the server's own audit"]);
  });
});

describe.concurrent('a crashing shop', () => {
  // A request that times out excuses an unacknowledged order. With five seconds, only the hanging ones time out.
  const TOLERANT = ['--tolerate-errors', '--timeout', '5'];
  const CRASHES: Faults = { cutEvery: 97, cutAfterEvery: 101, hangEvery: 499, overloadedEvery: 89 };

  it('passes when errors are tolerated and no acknowledged order is lost', async () => {
    const report = await runAgainst(CRASHES, ...SELLOUT, ...TOLERANT);
    expect(failed(report)).toEqual([]);
    expect(report.outcomes.map(({ slug }) => slug)).toEqual(
      expect.arrayContaining(['timeout', 'connection-error']),
    );
    expect(report.outcomes.reduce((sum, { count }) => sum + count, 0)).toBe(2000);
  });

  it.each<[string, Faults]>([
    ['loses an acknowledged order', { ...CRASHES, loseEvery: 50 }],
    ['oversells', { ...CRASHES, oversell: true }],
    ['answers 500', { ...CRASHES, errorEvery: 83 }],
    ['sells without answering more often than answers were lost', { ...CRASHES, ghostEvery: 3 }],
  ])('still fails when it %s', async (_name, faults) => {
    const report = await runAgainst(faults, ...SELLOUT, ...TOLERANT);
    expect(report.verdict.result).toBe('fail');
  });
});

describe('latency', () => {
  it('of a constant rate counts from when a request was due, so a stall shows in all that waited', async () => {
    const args = ['--scenario', 'constant', '--rate', '200', '--duration', '1.5', '--connections', '4'];
    const { latencyMs } = await runAgainst({ stallOnceMs: 600 }, ...args);
    expect(latencyMs.correction).toBe('intended-time');
    expect(latencyMs.service.p95).toBeLessThan(200);
    expect(latencyMs.corrected.p95).toBeGreaterThan(300);
  });

  it('of a closed loop is corrected for the requests that a stall prevented', async () => {
    const { latencyMs } = await runAgainst({ stallOnceMs: 500 }, ...THROUGHPUT);
    expect(latencyMs.correction).toBe('expected-interval');
    expect(latencyMs.corrected.count).toBeGreaterThan(latencyMs.service.count);
    expect(latencyMs.corrected.p95).toBeGreaterThan(latencyMs.service.p95);
  });
});
