import { describe, expect, it } from 'vitest';
import type { Faults } from '../fake-shop/faults.js';
import { failed, runAgainst } from '../fake-shop/run-against.js';
import type { Report } from '../report.js';
import type { Damage } from './damage.js';

const CHECKOUT = ['--scenario', 'checkout', '--requests', '150', '--connections', '10', '--units', '50'];
const SCALE = ['--scenario', 'scale', '--orders', '150', '--connections', '10'];
const CROWD = [
  ...['--scenario', 'crowd', '--rate', '1000', '--duration', '1', '--units', '600'],
  ...['--connections', '20', '--visitors', '5'],
];
const MIXED = ['--scenario', 'mixed', '--requests', '600', '--connections', '10', '--units', '240'];
// Long enough for a busy machine: a code presented too late would end the order differently without being a fault.
const ENOUGH = ['--requests', '400', '--units', '2,000', '--hold', '5'];
// No hold lapses, and no queued order takes the withheld units at the end.
const RETURNLESS = ['--shares', '70,30,0', '--abandon', '0', '--hold', '60'];

function counts(outcomes: Report['outcomes']): Record<string, number> {
  return Object.fromEntries(outcomes.map(({ slug, count }) => [slug, count]));
}

function granted(report: Report, road: string): number {
  const outcomes = report.roads.find(each => each.road === road)?.outcomes ?? [];
  return outcomes.reduce((sum, { slug, count }) => sum + (slug === 'sold-out' ? 0 : count), 0);
}

function ended(report: Report, road: string): Record<string, number> {
  const ends = report.ends.filter(end => end.road === road);
  return Object.fromEntries(ends.map(({ status, reason, count }) => [`${status} ${reason}`, count]));
}

// They wait for holds to lapse, side by side, on busy machines.
const TIMEOUT_MS = 90_000;

describe.concurrent('an honest shop passes', { timeout: TIMEOUT_MS }, () => {
  it('in checkout: as many holds as units, which stay reserved', async () => {
    const report = await runAgainst({}, ...CHECKOUT);
    expect(failed(report)).toEqual([]);
    expect(report.verdict).toMatchObject({ result: 'pass', verified: true });
    expect(counts(report.outcomes)).toEqual({ reserved: 50, 'sold-out': 100 });
    expect(ended(report, 'checkout')).toEqual({ 'RESERVED null': 50 });
  });

  it('in crowd: each kind of visitor gets the expected answers', async () => {
    const report = await runAgainst({}, ...CROWD, '--units', '2000');
    expect(failed(report)).toEqual([]);
    expect(report.roads.map(({ road, outcomes }) => [road, counts(outcomes)])).toEqual([
      ['normal', { reserved: 700 }],
      ['heavy', { reserved: 50, 'limit-reached': 50 }],
      ['purchases', { reserved: 100 }],
      ['redeem', { confirmed: 100 }],
      ['invalid', { invalid: 100 }],
    ]);
    expect(ended(report, 'purchases')).toEqual({ 'CONFIRMED null': 100 });
    expect(report.throughput.requests).toBe(1100);
  });

  it('in crowd, with too few units', async () => {
    const report = await runAgainst({}, ...CROWD);
    expect(failed(report)).toEqual([]);
    expect(report.throughput.reserved).toBe(600);
    expect(report.damage).toEqual({ lost: 0, altered: 0, duplicated: 0, oversold: 0, stuck: 0 });
  });

  it('in scale: every accepted order is decided, and the decisions are timed', async () => {
    const report = await runAgainst({}, ...SCALE);
    expect(failed(report)).toEqual([]);
    expect(report.throughput.queued).toBe(150);
    expect(ended(report, 'queued')).toEqual({ 'CONFIRMED null': 150 });
  });

  it('in mixed, with enough for all: each way to buy ends as expected', async () => {
    const report = await runAgainst({}, ...MIXED, ...ENOUGH);
    expect(failed(report)).toEqual([]);
    expect(['direct', 'checkout', 'redeem', 'queued'].map(road => granted(report, road))).toEqual([
      240, 100, 80, 60,
    ]);
    expect(ended(report, 'direct')).toEqual({ 'CONFIRMED null': 240 });
    expect(ended(report, 'checkout')).toEqual({ 'CONFIRMED null': 80, 'EXPIRED null': 20 });
    expect(ended(report, 'queued')).toEqual({ 'CONFIRMED null': 60 });
    expect(report.throughput.requests).toBe(480);
    // Each request has its own key, and a redemption has a different key from its checkout.
    expect(report.seen.keys).toBe(480);
  });

  it('in mixed, with too few units', async () => {
    const report = await runAgainst({}, ...MIXED);
    expect(failed(report)).toEqual([]);
    expect(report.verdict.checks.map(({ name }) => name)).toContain('sold-out answers were true');
    expect(report.damage).toEqual({ lost: 0, altered: 0, duplicated: 0, oversold: 0, stuck: 0 });
    expect(report.roads.every(({ outcomes, latencyMs }) => outcomes.length > 0 && latencyMs.p50 > 0)).toBe(
      true,
    );
  });

  it('in mixed, when it closes every connection after one answer', async () => {
    const report = await runAgainst({ closeConnections: true }, ...MIXED, ...ENOUGH);
    expect(failed(report)).toEqual([]);
    expect(granted(report, 'redeem')).toBe(80);
  });

  it('in mixed, when requests are lost and errors are tolerated', async () => {
    const crashes: Faults = { cutEvery: 97, cutAfterEvery: 101, overloadedEvery: 89 };
    const report = await runAgainst(crashes, ...MIXED, '--tolerate-errors');
    expect(failed(report)).toEqual([]);
  });
});

const ALTERED = 'acknowledged orders match their answers';
// The damage figure that each failed check increases.
const COUNTED: Readonly<Record<string, keyof Damage>> = {
  'no acknowledged order lost': 'lost',
  [ALTERED]: 'altered',
  'no unexplained orders': 'duplicated',
  'not oversold': 'oversold',
  'every order has ended': 'stuck',
};

describe.concurrent('a shop that breaks its promise fails', { timeout: TIMEOUT_MS }, () => {
  it.each<[string, string[], Faults, string]>([
    ['oversells holds', CHECKOUT, { oversell: true }, 'not oversold'],
    ['holds units back', CHECKOUT, { keepBack: 3 }, 'sold-out answers were true'],
    ['forgets a hold', CHECKOUT, { loseEvery: 20 }, 'no acknowledged order lost'],
    ['cancels a hold', CHECKOUT, { cancelEvery: 20 }, ALTERED],
    ['grants a checkout without a code', CHECKOUT, { emptyEvery: 30 }, 'only expected answers'],
    ['accepts invalid requests', CROWD, { acceptInvalid: true }, 'only expected answers'],
    [
      'ignores the limit of heavy shoppers',
      [...CROWD, '--units', '2000'],
      { ignoreLimit: true },
      'no shopper above the limit',
    ],
    ['oversells to a crowd', CROWD, { oversell: true }, 'not oversold'],
    ['forgets a hold of a crowd', CROWD, { loseEvery: 20 }, 'no acknowledged order lost'],
    ['lets a hold of a crowd lapse after it was bought', CROWD, { ignoreCodeEvery: 7 }, ALTERED],
    ['forgets an accepted order', SCALE, { loseEvery: 20 }, 'no acknowledged order lost'],
    ['does not decide an accepted order', SCALE, { stickEvery: 20 }, 'every order has ended'],
    ['rejects an accepted order although units are left', SCALE, { rejectEvery: 20 }, ALTERED],
    ['accepts without returning an order', SCALE, { emptyEvery: 30 }, 'only expected answers'],
    ['answers 503', MIXED, { overloadedEvery: 30 }, 'only expected answers'],
    ['oversells', MIXED, { oversell: true }, 'not oversold'],
    ['holds units back', [...MIXED, ...RETURNLESS], { keepBack: 3 }, 'sold-out answers were true'],
    ['forgets an order', MIXED, { loseEvery: 7 }, 'no acknowledged order lost'],
    ['sells to a shopper twice', MIXED, { twinEvery: 7 }, 'no shopper above the limit'],
    ['sells to a shopper whom it refuses', MIXED, { ghostEvery: 7 }, 'no unexplained orders'],
    ['lists an order under another shopper', MIXED, { misplaceEvery: 7 }, ALTERED],
    ['miscounts', MIXED, { miscount: true }, 'stock equals the orders'],
    ['does not decide a queued order', MIXED, { stickEvery: 7 }, 'every order has ended'],
    ['rejects a queued order without a reason', MIXED, { rejectEvery: 7 }, ALTERED],
    ['never ends a hold', MIXED, { neverExpires: true }, 'every order has ended'],
    ['confirms a lapsed hold', MIXED, { confirmsLapsed: true }, ALTERED],
    ['forgets its own code', MIXED, { forgetCodeEvery: 7 }, 'only expected answers'],
    ["redeems a code for another shopper's order", MIXED, { swapCodeEvery: 7 }, 'only expected answers'],
    ['lets a hold lapse after it was bought', MIXED, { ignoreCodeEvery: 7 }, ALTERED],
  ])('it %s, in %j', async (_name, args, faults, expected) => {
    const report = await runAgainst(faults, ...args, '--settle-within', '4');
    expect(failed(report)).toContain(expected);
    expect(report.verdict.result).toBe('fail');
    const counted = COUNTED[expected];
    if (counted !== undefined) expect(report.damage?.[counted]).toBeGreaterThan(0);
  });
});
