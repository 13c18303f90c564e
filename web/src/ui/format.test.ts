import { expect, it } from 'vitest';
import { money } from './format.js';

it.each([
  [1999, 'EUR', '€19.99'],
  [2000, 'EUR', '€20'],
  [1990, 'KWD', 'KWD\u00a01.990'],
  [1990, 'IQD', 'IQD\u00a01.990'],
  [1990, 'ISK', 'ISK\u00a01,990'],
  [1990, 'UGX', 'UGX\u00a01,990'],
  [1990, 'HUF', 'HUF\u00a019.90'],
])('%i minor units of %s are %s', (minor, currency, text) => {
  expect(money(minor, currency)).toBe(text);
});
