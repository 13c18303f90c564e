import { expect, it } from 'vitest';
import { type Operation, operationsOf, type Schema, schemaSchema } from '../fuzz/operations.js';
import { operatorHeaders, serviceHeaders, startTestApi } from '../support/api.js';
import { createTestDatabase } from '../support/database.js';
import { createTestSale } from '../support/sale.js';
import { createSend, type RawRequest } from './send.js';

const bad = { 'a NUL': 'a\0b', 'a lone surrogate': 'a\ud800', 'text that is too long': 'x'.repeat(12_000) };
// The bytes of a lone surrogate are not UTF-8, and remain the text %ED%A0%80.
const badInQuery = { 'a NUL': bad['a NUL'], 'text that is too long': bad['text that is too long'] };
// Node writes these into a header unchanged.
const badInHeader = {
  'a byte above ASCII': 'a\xe9',
  'a tab': 'a\tb',
  'text that is too long': 'x'.repeat(9000),
};
const badByPlace: Record<string, Record<string, string>> = { header: badInHeader, query: badInQuery };

it('every text field of /openapi.json refuses NUL, lone surrogates and overlong text with a problem', async () => {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool);
  const api = await startTestApi(url, { IDENTITY: 'demo', FAULTS_ENABLED: 'true' });
  const operations = operationsOf((await api.request('GET', '/openapi.json')).body);
  const { send, close } = createSend(api.url, 1);
  const wrong: unknown[] = [];
  let sent = 0;
  for (const operation of operations) {
    for (const { what, request } of requestsOf(operation, { ...good, productId })) {
      sent += 1;
      const { status, headers, text } = await send(request);
      const isProblem = headers['content-type']?.startsWith('application/problem+json');
      if (status >= 400 && status < 500 && isProblem) continue;
      wrong.push({
        what: `${operation.method} ${operation.path}: ${what}`,
        status,
        text: text.slice(0, 200),
      });
    }
  }
  close();
  console.info(`texts: ${sent} requests to ${operations.length} operations`);
  expect(wrong).toEqual([]);
  expect(sent).toBeGreaterThan(300);
}, 60_000);

// Meaningful values, by the name of their field.
const good: Readonly<Record<string, unknown>> = {
  ...{
    userId: 'alice',
    currency: 'EUR',
    url: 'https://shop.example/hook',
    imageUrl: 'https://shop.example/a.png',
  },
  cron: '0 * * * *',
  timeZone: 'UTC',
  operator: 'operator',
  secret: 'a-wrong-secret-0000',
  startsAt: '2030-01-01T00:00:00Z',
  endsAt: '2030-01-01T01:00:00Z',
  id: '1',
  place: 'gate',
};

type Good = typeof good;
type Attempt = { what: string; request: RawRequest };

/** One request for each text field of the operation and each bad text; everything else is valid. */
function requestsOf(operation: Operation, known: Good): Attempt[] {
  const inBody = textsOf(operation.body ?? {}).flatMap(path =>
    Object.entries(bad).map(([kind, text]) => ({
      what: `${kind} as ${path.join('.')}`,
      request: requestWith(operation, known, { body: bodyWith(operation, known, path, text) }),
    })),
  );
  const outside = operation.parameters.flatMap(({ name, in: place }) =>
    Object.entries(badByPlace[place] ?? bad).map(([kind, text]) => ({
      what: `${kind} as ${name} in the ${place}`,
      request: requestWith(operation, known, {
        parameters: { [name]: text },
        body: bodyWith(operation, name === 'x-user-id' ? { ...known, userId: undefined } : known),
      }),
    })),
  );
  return [...inBody, ...outside];
}

function requestWith(
  { method, path, parameters, isOperators }: Operation,
  known: Good,
  { parameters: given = {}, body }: { parameters?: Record<string, string>; body: unknown },
): RawRequest {
  const ofPlace = (place: string) =>
    parameters.filter(
      parameter => parameter.in === place && (given[parameter.name] !== undefined || parameter.required),
    );
  const textOf = ({ name, schema }: (typeof parameters)[number]) =>
    given[name] ?? String(sampleOf(name, schema, known));
  const target = ofPlace('path').reduce(
    (url, parameter) => url.replace(`{${parameter.name}}`, encoded(textOf(parameter))),
    path,
  );
  const query = ofPlace('query').map(parameter => `${parameter.name}=${encoded(textOf(parameter))}`);
  const isNamed = given['x-user-id'] === undefined && body === undefined;
  const named =
    isNamed && parameters.some(({ name }) => name === 'x-user-id') ? { 'x-user-id': 'alice' } : {};
  const text = body === undefined ? undefined : JSON.stringify(body);
  return {
    method,
    path: query.length > 0 ? `${target}?${query.join('&')}` : target,
    headers: {
      ...(isOperators ? operatorHeaders : serviceHeaders),
      ...named,
      ...Object.fromEntries(ofPlace('header').map(parameter => [parameter.name, textOf(parameter)])),
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    },
    body: text,
  };
}

function bodyWith({ body, path }: Operation, known: Good, at: readonly string[] = [], text = ''): unknown {
  if (body === undefined) return undefined;
  // A code belongs to only one of the two ways to call it.
  const alsoThere = path === '/api/purchase' && at[0] !== 'code' ? ['userId', 'productId'] : ['userId'];
  return sampleOf('', body, known, { at, text, alsoThere });
}

type Planted = { at: readonly string[]; text: string; alsoThere: readonly string[] };

function sampleOf(field: string, schema: Schema, known: Good, planted?: Planted): unknown {
  if (planted && planted.at.length === 0 && field !== '') return planted.text;
  if (known[field] !== undefined && !planted) return known[field];
  const options = (schema.anyOf ?? schema.oneOf ?? []).map(option => schemaSchema.parse(option));
  const [first] = planted ? options.filter(option => textsOf(option).length > 0) : options;
  if (first) return sampleOf(field, first, known, planted);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'array') return [sampleOf(field, schemaSchema.parse(schema.items ?? {}), known)];
  if (schema.type === 'object') return objectOf(schema, known, planted);
  if (schema.type === 'boolean') return false;
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.format === 'uuid') return '0189f0f0-0000-7000-8000-000000000000';
  return schema.pattern === undefined ? 'x' : '1';
}

function objectOf({ properties = {}, required = [] }: Schema, known: Good, planted?: Planted) {
  const [next, ...rest] = planted?.at ?? [];
  const names = Object.keys(properties).filter(
    name => required.includes(name) || name === next || planted?.alsoThere.includes(name),
  );
  return Object.fromEntries(
    names.map(name => {
      const schema = schemaSchema.parse(properties[name]);
      return [
        name,
        sampleOf(name, schema, known, name === next && planted ? { ...planted, at: rest } : undefined),
      ];
    }),
  );
}

/** The places of text in a body. */
function textsOf(schema: Schema): string[][] {
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map(option =>
    schemaSchema.parse(option),
  );
  if (options.length > 0) return unique(options.flatMap(textsOf));
  if (schema.type === 'string') return [[]];
  return Object.entries(schema.properties ?? {}).flatMap(([name, of]) =>
    textsOf(schemaSchema.parse(of)).map(path => [name, ...path]),
  );
}

function unique(paths: readonly string[][]): string[][] {
  return [...new Map(paths.map(path => [path.join('.'), path])).values()];
}

// A lone surrogate has no encoding; its bytes are sent instead.
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}
