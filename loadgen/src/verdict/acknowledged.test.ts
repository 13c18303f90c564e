import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { AcknowledgedOrders } from './acknowledged.js';

it('finds each of 200,000 orders with its request after growing several times', () => {
  const orders = new AcknowledgedOrders();
  const ids = Array.from({ length: 200_000 }, () => randomUUID());
  expect(ids.filter((id, ordinal) => orders.add(id, ordinal) !== 'added')).toEqual([]);
  expect(orders.size).toBe(200_000);
  expect(ids.findIndex((id, ordinal) => orders.see(id) !== ordinal)).toBe(-1);
  expect(orders.unseen(3)).toEqual({ count: 0, ordinals: [] });
});

it('reports unseen orders and unknown orders', () => {
  const orders = new AcknowledgedOrders();
  const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
  for (const [ordinal, id] of ids.entries()) orders.add(id, ordinal);
  expect(orders.see(ids[1].toUpperCase())).toBe(1);
  expect(orders.see(randomUUID())).toBeNull();
  expect(orders.see('garbage')).toBeNull();
  expect(orders.unseen(1).count).toBe(2);
  expect(orders.unseen(9).ordinals.toSorted()).toEqual([0, 2]);
});

it('recognises a duplicate, and ids that differ in one digit only', () => {
  const orders = new AcknowledgedOrders();
  const id = (digit: number) => `018f0000-0000-7000-8000-00000000000${digit}`;
  for (let digit = 0; digit < 10; digit += 1) expect(orders.add(id(digit), digit)).toBe('added');
  expect(orders.add(id(4), 99)).toBe('duplicate');
  expect(orders.see(id(4))).toBe(4);
});

it.each(['', '7', '018f0000-0000-7000-8000-00000000000g', '018f000000007000-8000-0000-00000000000'])(
  'refuses %j, which is not a UUID',
  text => {
    expect(new AcknowledgedOrders().add(text, 0)).toBe('not-a-uuid');
  },
);
