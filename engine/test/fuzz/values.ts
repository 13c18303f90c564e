import fc from 'fast-check';
import type { Random } from '../support/random.js';
import { type Schema, schemaSchema } from './operations.js';

/** Values by the name of a field that give a request a meaning: existing ids, returning shoppers. */
export type Known = (field: string) => readonly unknown[] | undefined;

const hostile: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, -1e308, '', ' ', '0', '1', '-1', 'null', 'NaN'],
  ...[
    [],
    [1],
    [[]],
    {},
    { a: 1 },
    { toString: 1 },
    { length: 1e9 },
    { constructor: { prototype: { a: 1 } } },
  ],
  ...["' or 1=1--", '; drop table orders', '../../etc/passwd', '%00', 'a\0b', '\ud800', '\ufffe'],
  ...[
    'x'.repeat(300),
    'x'.repeat(20_000),
    'x'.repeat(70_000),
    'e\u0301'.repeat(500),
    '💥',
    '<script>',
    '=cmd()',
    'a\r\nb: c',
    '\u202e',
  ],
  ...['0189f0f0-0000-7000-8000-000000000000', '00000000-0000-0000-0000-000000000000', '2026-13-45T99:99:99Z'],
  ...[
    '+275760-09-13T00:00:00.001Z',
    '9999-12-31T23:59:59.999Z',
    '0000-01-01T00:00:00Z',
    '1e400',
    '0x10',
    '٣',
  ],
];

/** A value that the schema allows; for a field with a known name, mostly one of those values. */
export function validOf(schema: Schema, field: string, known: Known, random: Random): unknown {
  const names = known(field);
  if (names && names.length > 0 && random.chance(0.9)) return random.pick(names);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return validOf(schemaSchema.parse(random.pick(options)), field, known, random);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return random.pick(schema.enum);
  return ofType(schema, field, known, random);
}

function ofType(schema: Schema, field: string, known: Known, random: Random): unknown {
  switch (schema.type) {
    case 'object':
      return validObject(schema, known, random);
    case 'array':
      return [validOf(schemaSchema.parse(schema.items ?? {}), field, known, random)];
    case 'boolean':
      return random.chance(0.5);
    case 'null':
      return null;
    case 'integer':
    case 'number':
      return validNumber(schema, random);
    default:
      return validText(schema, random);
  }
}

function validObject(schema: Schema, known: Known, random: Random): Record<string, unknown> {
  const fields = Object.entries(schema.properties ?? {}).filter(
    ([field]) => schema.required?.includes(field) || random.chance(0.4),
  );
  return Object.fromEntries(
    fields.map(([field, of]) => [field, validOf(schemaSchema.parse(of), field, known, random)]),
  );
}

// Near the bounds, where mistakes happen.
function validNumber({ minimum = 0, maximum = 2 ** 31 - 1 }: Schema, random: Random): number {
  const span = Math.min(maximum - minimum, 1000);
  return random.pick([minimum, maximum, minimum + random.below(span + 1), Math.min(minimum + 1, maximum)]);
}

const samples = new Map<string, readonly string[]>();

function validText({ pattern, format, minLength = 0, maxLength = 30 }: Schema, random: Random): string {
  if (format === 'uuid') return '0189f0f0-0000-7000-8000-0000000000'.concat(String(10 + random.below(90)));
  if (format === 'date-time') return new Date(1.8e12 + random.below(1e9) * 100).toISOString();
  if (format === 'uri') return 'https://example.com/a.png';
  if (pattern !== undefined) return random.pick(samplesOf(pattern));
  return 'x'.repeat(minLength + random.below(Math.min(maxLength, minLength + 30) - minLength + 1));
}

function samplesOf(pattern: string): readonly string[] {
  const drawn = samples.get(pattern);
  if (drawn) return drawn;
  // The generator does not support lookahead; the text after it comes from the known names, or is hostile.
  const fresh = /\(\?[=!<]/.test(pattern)
    ? ['1', 'x']
    : fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 30, seed: 1 });
  samples.set(pattern, fresh);
  return fresh;
}

export function hostileValue(random: Random): unknown {
  return random.pick(hostile);
}

/** A valid object with one thing wrong: a missing field, an extra one, or one of another type. */
export function nearly(good: unknown, random: Random): unknown {
  if (typeof good !== 'object' || good === null || Array.isArray(good)) return hostileValue(random);
  const fields = Object.keys(good);
  if (fields.length === 0 || random.chance(0.2)) {
    return {
      ...good,
      [random.pick(['price', 'status', 'userId', 'id', '__proto__x', ''])]: hostileValue(random),
    };
  }
  const field = random.pick(fields);
  const others = Object.fromEntries(Object.entries(good).filter(([name]) => name !== field));
  return random.chance(0.3) ? others : { ...others, [field]: hostileValue(random) };
}
