import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const requestSchema = z.strictObject({
  url: z.string().startsWith('/api/'),
  headers: z.record(z.string(), z.string()),
  body: z.string().optional(),
  expect: z.array(z.record(z.string(), z.unknown())).min(1),
});

// The part of Artillery's schema that the file uses. Artillery silently ignores a misspelt key.
const schema = z.strictObject({
  config: z.strictObject({
    target: z.url(),
    http: z.strictObject({ timeout: z.int() }),
    phases: z.array(
      z.strictObject({
        name: z.string(),
        duration: z.int(),
        arrivalRate: z.int(),
        rampTo: z.int().optional(),
      }),
    ),
    plugins: z.strictObject({
      ensure: z.strictObject({}),
      expect: z.strictObject({ outputFormat: z.literal('silent'), reportFailuresAsErrors: z.literal(true) }),
    }),
    ensure: z.strictObject({
      thresholds: z.array(z.record(z.string().startsWith('http.response_time.p'), z.number())),
      conditions: z.array(z.strictObject({ expression: z.string() })),
    }),
  }),
  scenarios: z.array(
    z.strictObject({
      name: z.string(),
      weight: z.int(),
      flow: z.array(
        z.union([z.strictObject({ post: requestSchema }), z.strictObject({ get: requestSchema })]),
      ),
    }),
  ),
});

const text = readFileSync(new URL('../artillery/shop.yml', import.meta.url), 'utf8');

it("Artillery's file has the promised phases and shares, and only keys that Artillery knows", () => {
  const { config, scenarios } = schema.parse(parse(text));
  const phases = config.phases.map(({ name, arrivalRate, rampTo }) => [name, arrivalRate, rampTo]);
  expect(phases).toEqual([
    ['warm-up', 10, undefined],
    ['ramp', 10, 50],
    ['sustained', 100, undefined],
  ]);
  expect(scenarios.map(({ name, weight }) => [name, weight])).toEqual([
    ['purchase', 80],
    ['stock', 20],
  ]);
});

it('a misspelt key is found', () => {
  expect(() => schema.parse(parse(text.replace('arrivalRate', 'arrivalrate')))).toThrow(/arrivalrate/);
});

it('its purchase body is a valid purchase', () => {
  const [purchase] = schema.parse(parse(text)).scenarios;
  const flow = JSON.stringify(purchase?.flow);
  const { body } = z.object({ post: requestSchema }).parse(purchase?.flow[0]).post;
  const sent: unknown = JSON.parse((body ?? '').replaceAll('{{ $env.PRODUCT_ID }}', '7'));
  expect(sent).toEqual({ productId: 7, quantity: 1, userId: 'artillery-{{ $uuid }}' });
  expect(flow).toContain('"Idempotency-Key":"artillery-{{ $uuid }}"');
});
