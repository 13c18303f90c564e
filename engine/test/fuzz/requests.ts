import type { RawRequest } from '../bad-input/send.js';
import type { Random } from '../support/random.js';
import type { Operation } from './operations.js';
import { hostileValue, type Known, nearly, validOf } from './values.js';

export type FuzzRequest = RawRequest & {
  operation: Operation;
  /** undefined if the body is not JSON or there is none. */
  json: unknown;
  body: string | undefined;
};

/** Bearer tokens, by the caller they identify. */
export type Tokens = { shop: string; shopper: string; operator: string };

const mischief = ['valid', 'valid', 'nearly', 'hostile'] as const;
const brokenBodies = [
  '',
  '{',
  '[]',
  'null',
  '{"a":1,"a":2}',
  '\ufeff{}',
  '{"productId":1e999}',
  '['.repeat(5000),
];
const types = ['text/plain', 'application/xml', '', 'application/json;charset=utf-16', 'multipart/form-data'];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS'];

/** A request for the operation: valid, nearly valid, or malicious. */
export function requestFor(operation: Operation, known: Known, tokens: Tokens, random: Random): FuzzRequest {
  const kind = random.pick(mischief);
  const parameterOf = (parameter: Operation['parameters'][number]) =>
    kind === 'valid' || random.chance(0.6)
      ? validOf(parameter.schema, parameter.name, known, random)
      : hostileValue(random);
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const taken = operation.parameters.filter(
    ({ required, in: place }) => place === 'path' || random.chance(required ? 0.95 : 0.35),
  );
  const ofPlace = (place: string) => taken.filter(parameter => parameter.in === place);

  const path = ofPlace('path').reduce(
    (url, parameter) => url.replace(`{${parameter.name}}`, encoded(text(parameterOf(parameter)))),
    operation.path,
  );
  const query = ofPlace('query').map(
    ({ name, ...rest }) => `${name}=${encoded(text(parameterOf({ name, ...rest })))}`,
  );
  if (kind === 'hostile' && random.chance(0.3))
    query.push(random.pick(['limit=1&limit=2', 'x=%zz', '&&', '__proto__=1']));
  const { body, json, type } = bodyFor(operation, kind, known, random);
  return {
    operation,
    body,
    json,
    method: kind === 'hostile' && random.chance(0.05) ? random.pick(methods) : operation.method,
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    headers: {
      ...credentials(operation, kind, tokens, random),
      ...Object.fromEntries(ofPlace('header').map(of => [of.name, headerText(text(parameterOf(of)))])),
      ...(body === undefined
        ? {}
        : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
    },
  };
}

function bodyFor(operation: Operation, kind: (typeof mischief)[number], known: Known, random: Random) {
  const type = kind === 'hostile' && random.chance(0.1) ? random.pick(types) : 'application/json';
  if (operation.method === 'GET' || (!operation.body && random.chance(0.7))) {
    return { type, body: undefined, json: undefined };
  }
  if (kind === 'hostile' && random.chance(0.2)) {
    return { type, body: random.pick(brokenBodies), json: undefined };
  }
  const good = validOf(operation.body ?? {}, '', known, random);
  const json =
    kind === 'valid' ? good : kind === 'nearly' ? nearly(good, random) : nearly(nearly(good, random), random);
  return { type, json, body: JSON.stringify(json) };
}

function credentials(
  operation: Operation,
  kind: string,
  tokens: Tokens,
  random: Random,
): Record<string, string> {
  const right = operation.isOperators
    ? tokens.operator
    : random.pick([tokens.shop, tokens.shop, tokens.shopper]);
  const any = ['', tokens.shop, tokens.shopper, tokens.operator, 'x', `${tokens.shop}x`];
  const token = random.chance(kind === 'valid' ? 0.95 : 0.75) ? right : random.pick(any);
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}

// A lone surrogate has no encoding; its bytes are sent instead.
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}

// Skips what the sender itself would refuse to write; raw sockets send that (test/bad-input/http.test.ts).
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 2000);
}
