import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainPurchase } from '../src/http/buying/plain-purchase.js';
import { purchaseBodySchema } from '../src/http/routes/shop/purchase.js';
import { keyRows } from './bad-input/callers.js';
import { jsonRows } from './bad-input/json.js';
import { longRows, unicodeRows } from './bad-input/text.js';
import { valueRows } from './bad-input/values.js';

const badBodies = [jsonRows, longRows, unicodeRows, valueRows, keyRows]
  .flat()
  .flatMap(({ body }) => parsed(body?.toString().replaceAll('$P', '1') ?? ''));

const plainBodies = [
  { productId: 1 },
  { productId: 1, quantity: 2, userId: 'alice', paymentMethod: 'pm_card_visa' },
  { productId: Number.MAX_SAFE_INTEGER, quantity: 2_147_483_647, userId: '~'.repeat(128) },
  { paymentMethod: 'p'.repeat(255), productId: 7 },
];

const inheritedNames = ['hasOwnProperty', 'propertyIsEnumerable', 'isPrototypeOf', 'constructor', 'toString'];

describe('a purchase that is checked without its schema', () => {
  it('is what clients usually send', () => {
    expect(plainBodies.filter(body => !isPlainPurchase(body))).toEqual([]);
  });

  it(`passes the schema unchanged: ${badBodies.length} bad bodies, and fields that every object inherits`, () => {
    const inherited = inheritedNames.map(name => ({ productId: 1, [name]: 'productId' }));
    const empty = [null, 1, 'text', [], [1], {}, { quantity: 1 }];

    expect(badBodies.length).toBeGreaterThan(500);
    for (const body of [...badBodies, ...inherited, ...empty]) expectSame(body);
    expect(inherited.some(isPlainPurchase)).toBe(false);
  });

  it('passes the schema unchanged, whatever its fields contain', () => {
    const value = fc.oneof(
      fc.constantFrom(
        0,
        1,
        -1,
        1.5,
        2_147_483_648,
        2 ** 53,
        Number.NaN,
        '',
        ' ',
        'a',
        'a b',
        'é',
        '\u200b',
        null,
        true,
      ),
      fc.string({ maxLength: 300 }),
      fc.integer(),
      fc.array(fc.integer(), { maxLength: 2 }),
    );
    const body = fc.record(
      { productId: value, quantity: value, userId: value, paymentMethod: value, code: value },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(body, expectSame), { numRuns: 5000 });
  });
});

function expectSame(body: unknown): void {
  if (isPlainPurchase(body))
    expect(purchaseBodySchema.safeParse(body)).toEqual({ success: true, data: body });
}

function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
