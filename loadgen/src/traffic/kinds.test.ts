import { expect, it } from 'vitest';
import { crowdShopper, kindOf } from './kinds.js';
import { countShoppers, returningShopper } from './returning.js';

const CROWD = { kinds: { normal: 70, heavy: 10, purchases: 10, invalid: 10 }, heavyShoppers: 25 };
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

it.each([0, 37, 12_345])('each hundred visits in a row, from %i on, have the given shares of kinds', from => {
  const count = (kind: string) => numbers(from, 100).filter(i => kindOf(CROWD, i) === kind).length;
  expect(['normal', 'heavy', 'purchases', 'invalid'].map(count)).toEqual([70, 10, 10, 10]);
});

it('heavy shoppers come in turn, and no other shopper has one of their numbers', () => {
  const heavy = numbers(0, 500).filter(i => kindOf(CROWD, i) === 'heavy');
  const visits = new Map<number, number>();
  for (const i of heavy) visits.set(crowdShopper(CROWD, i), (visits.get(crowdShopper(CROWD, i)) ?? 0) + 1);
  expect([...visits.keys()].sort((a, b) => a - b)).toEqual(numbers(0, 25));
  expect(new Set(visits.values())).toEqual(new Set([2]));
  const others = numbers(0, 500).filter(i => kindOf(CROWD, i) !== 'heavy');
  expect(new Set(others.map(i => crowdShopper(CROWD, i))).size).toBe(450);
  expect(Math.min(...others.map(i => crowdShopper(CROWD, i)))).toBeGreaterThanOrEqual(25);
});

it('a returning shopper has bought once before and does not come a third time', () => {
  const shoppers = numbers(0, 5_000).map(i => returningShopper(15, i));
  const visits = new Map<number, number>();
  for (const shopper of shoppers) visits.set(shopper, (visits.get(shopper) ?? 0) + 1);
  expect(Math.max(...visits.values())).toBe(2);
  expect(visits.size).toBe(countShoppers(15, 5_000));
  expect(shoppers.slice(1_000, 1_100).filter((shopper, i) => shopper !== 1_000 + i)).toHaveLength(15);
});
