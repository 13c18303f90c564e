import { expect, it } from 'vitest';
import { z } from 'zod';
import { fractionDigits } from '../src/index.js';

const tableSchema = z.object({
  currencies: z.set(z.string()),
  fractionDigits: z.custom<(currency: string) => number>(value => typeof value === 'function'),
});

it('the client has the same digits for each currency as the engine', async () => {
  const { href } = new URL('../../engine/dist/platform/currencies.js', import.meta.url);
  const engine = tableSchema.parse(await import(href));
  const digitsBy = (digits: (code: string) => number) =>
    [...engine.currencies].map(code => [code, digits(code)]);
  expect(engine.currencies.size).toBeGreaterThan(150);
  expect(digitsBy(fractionDigits)).toEqual(digitsBy(engine.fractionDigits));
});
