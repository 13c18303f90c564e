import { describe, expect, it } from 'vitest';
import { orderIdOf } from './order-id.js';

describe('the id of an order', () => {
  it('is the same for the same shopper and key, and differs for any other pair', () => {
    expect(orderIdOf('shopper', 'key')).toBe(orderIdOf('shopper', 'key'));
    const pairs = [
      ['shopper', 'key'],
      ['shopper', 'key2'],
      ['shopper2', 'key'],
      ['ab', 'c'],
      ['a', 'bc'],
      ['1:a', 'b'],
      ['a', '1:b'],
    ] as const;
    expect(new Set(pairs.map(([shopper, key]) => orderIdOf(shopper, key))).size).toBe(pairs.length);
  });

  it('is a UUID of version 8 with a key, and a new one of version 7 without', () => {
    expect(orderIdOf('s', 'k')).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(orderIdOf('s', undefined)).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
    expect(orderIdOf('s', undefined)).not.toBe(orderIdOf('s', undefined));
  });
});
