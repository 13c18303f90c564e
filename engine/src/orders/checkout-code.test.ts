import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCheckoutCodes } from './checkout-code.js';

describe('a checkout code', () => {
  const codes = createCheckoutCodes('secret-key-of-the-test');

  it('names its order, and is the same each time it is made', () => {
    fc.assert(
      fc.property(fc.uuid(), orderId => {
        const code = codes.codeOf(orderId);
        expect(codes.orderIdOf(code)).toBe(orderId);
        expect(codes.codeOf(orderId)).toBe(code);
      }),
    );
  });

  it('is refused if any of its characters is changed', () => {
    const code = codes.codeOf('0190a5b4-7e2c-7c3f-9c1e-8f1f6a2b3c4d');
    for (let position = 0; position < code.length; position++) {
      for (const character of ['A', 'b', '7', '_']) {
        if (code[position] === character) continue;
        const forged = code.slice(0, position) + character + code.slice(position + 1);
        expect(codes.orderIdOf(forged)).toBeUndefined();
      }
    }
  });

  it('is refused if another secret key made it, or if it is not a code at all', () => {
    const other = createCheckoutCodes('another-key-of-the-test');
    expect(codes.orderIdOf(other.codeOf('0190a5b4-7e2c-7c3f-9c1e-8f1f6a2b3c4d'))).toBeUndefined();
    for (const text of [
      '',
      'x',
      'A'.repeat(42),
      'A'.repeat(43),
      'A'.repeat(44),
      'é'.repeat(43),
      "' or 1=1--",
    ]) {
      expect(codes.orderIdOf(text)).toBeUndefined();
    }
  });
});
