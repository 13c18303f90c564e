import { buyPaths, call, post, type Row } from './row.js';

const strangers = { sender: 'nobody', status: 401, slug: 'not-authenticated' } as const;
const good = '{"productId":$P,"userId":"u"}';

const noTokens: [what: string, headers: Record<string, string>][] = [
  ['no token', {}],
  ['an empty token', { authorization: 'Bearer ' }],
  ['a wrong token', { authorization: 'Bearer wrong' }],
  ['a token that is null', { authorization: 'Bearer null' }],
  ['a default password', { authorization: 'Bearer doorbuster' }],
  ['admin:admin', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
  ['another scheme', { authorization: 'Digest x' }],
  ['no scheme', { authorization: 'test-api-key-000000' }],
  ['a token cut short', { authorization: 'Bearer test-api-key-00000' }],
  ['a token with extra characters', { authorization: 'Bearer test-api-key-0000000' }],
  ['a token in another case', { authorization: 'Bearer TEST-API-KEY-000000' }],
  ['an unknown session', { authorization: `Bearer 1.${'A'.repeat(43)}` }],
  ['an unknown session as a cookie', { cookie: `doorbuster_session=1.${'A'.repeat(43)}` }],
  ['the API key as a cookie of another name', { cookie: 'session=test-api-key-000000' }],
  ['15 kB of token', { authorization: `Bearer ${'x'.repeat(15_000)}` }],
];

const reads = [
  '/api/orders/$ORDER',
  '/api/orders/$ORDER/events',
  '/api/attempts',
  '/api/precheck?productId=$P',
];
const operatorCalls: [method: string, path: string][] = [
  ['GET', '/api/admin/audit'],
  ['GET', '/api/admin/live'],
  ['GET', '/api/admin/orders?saleId=$S'],
  ['GET', '/api/admin/sales'],
  ['GET', '/api/admin/stats'],
  ['PATCH', '/api/admin/products/$P'],
  ['GET', '/api/admin/attempts'],
  ['GET', '/api/admin/attempts/summary?saleId=$S'],
  ['GET', '/api/admin/series'],
  ['GET', '/api/admin/dead-letters'],
  ['GET', '/api/admin/dead-letters/1'],
  ['GET', '/api/admin/faults'],
  ['DELETE', '/api/admin/faults'],
  ['POST', '/api/admin/sales/$S/pause'],
  ['POST', '/api/admin/sales/$S/end'],
  ['POST', '/api/admin/series/1/end'],
  ['POST', '/api/admin/products'],
  ['POST', '/api/admin/sales'],
  ['POST', '/api/admin/dead-letters/1/replay'],
  ['POST', '/api/admin/dead-letters/1/discard'],
  ['POST', '/api/admin/faults'],
  ['POST', '/api/admin/rehearsals'],
  ['GET', '/api/admin/rehearsals'],
  ['GET', '/api/admin/rehearsals/1'],
  ['DELETE', '/api/admin/rehearsals/1'],
];

/** Callers without credentials, or without permission; naming another shopper does not grant their rights. */
export const callerRows: Row[] = [
  ...noTokens.flatMap(([what, headers]) => [
    ...buyPaths.map(path => post(path, what, good, { ...strangers, headers })),
    ...reads.map(path => call('GET', path, { ...strangers, headers, what: `GET ${path} with ${what}` })),
    call('DELETE', '/api/orders/$ORDER', { ...strangers, headers, what: `DELETE with ${what}` }),
    call('GET', '/api/admin/audit', { ...strangers, headers, what: `GET audit with ${what}` }),
  ]),
  ...operatorCalls.flatMap(([method, path]) => [
    call(method, path, { ...strangers, what: `${method} ${path} without credentials` }),
    ...(['shop', 'shopper'] as const).map(sender =>
      call(method, path, {
        sender,
        status: 403,
        slug: 'forbidden',
        what: `${method} ${path} by a ${sender}`,
      }),
    ),
  ]),
  // The operator runs the sale and buys nothing.
  ...buyPaths.map(path => post(path, 'the operator buys', good, { ...strangers, sender: 'operator' })),
  ...buyPaths.map(path => post(path, 'a shopper names another', good, { sender: 'shopper' })),
  ...buyPaths.map(path =>
    post(path, 'a shopper names another in a header', '{"productId":$P}', {
      sender: 'shopper',
      headers: { 'x-user-id': 'owner' },
    }),
  ),
  call('GET', '/api/orders/$ORDER', { sender: 'shopper', headers: { 'x-user-id': 'owner' } }),
];

const notMine = { status: 404, slug: 'order-not-found' };
const walked = [1, 2, 3, 4, 5].map(last => `00000000-0000-8000-8000-00000000000${last}`);

/** Another shopper's order gets the same answer as one that never existed. */
export const othersRows: Row[] = ['$ORDER', ...walked].flatMap(id =>
  (['shop', 'shopper'] as const).flatMap(sender =>
    [`/api/orders/${id}`, `/api/orders/${id}/events`].flatMap(path => {
      const as = sender === 'shop' ? { headers: { 'x-user-id': 'thief' } } : {};
      const rest = { ...notMine, sender, ...as };
      const isOrder = path.endsWith(id);
      return [call('GET', path, rest), ...(isOrder ? [call('DELETE', path, rest)] : [])];
    }),
  ),
);

const noCode = { status: 404, slug: 'code-not-found' };
const nobodysCodes = [
  ...[
    'A'.repeat(43),
    'A'.repeat(42),
    'a',
    ' ',
    '0',
    '-1',
    '../../etc/passwd',
    "' or 1=1--",
    '%00',
    'null',
    '{}',
    '$ORDER',
    '='.repeat(100),
    '$CODEx',
    'x$CODE',
    '$CODE=',
  ],
];
const pay = (code: string, userId: string) => JSON.stringify({ code, userId });
const gone = { status: 410, slug: 'code-expired' };

/** Codes that are forged, another shopper's, used, or expired; and a checkout that comes too early. */
export const codeRows: Row[] = [
  ...nobodysCodes.map(code => post('/api/purchase', `code ${code}`, pay(code, 'owner'), noCode)),
  ...['$CODE', '$USED', '$EXPIRED'].flatMap(code => [
    post('/api/purchase', `another's ${code}`, pay(code, 'thief'), noCode),
    post('/api/purchase', `another's ${code} by a shopper`, JSON.stringify({ code }), {
      ...noCode,
      sender: 'shopper',
    }),
  ]),
  post('/api/purchase', 'a used code', pay('$USED', 'owner'), { status: 409, slug: 'code-used' }),
  post('/api/purchase', 'an expired code', pay('$EXPIRED', 'owner'), gone),
  post('/api/purchase', 'an expired code with a key', pay('$EXPIRED', 'owner'), {
    ...gone,
    headers: { 'idempotency-key': 'k' },
  }),
  ...buyPaths.map(path =>
    post(path, 'before the sale opens', '{"productId":$UPCOMING,"userId":"u"}', {
      status: 409,
      slug: 'sale-not-open',
    }),
  ),
];

const keys = ['x'.repeat(256), '', 'a b', ' ', 'é', 'a\tb', '\u0080'];

/**
 * Idempotency-Keys that are invalid, or that stand for another purchase. The owner has bought one unit with the key
 * `used`.
 */
export const keyRows: Row[] = [
  ...buyPaths.flatMap(path =>
    keys.map(key =>
      post(path, `key ${JSON.stringify(key.slice(0, 9))}`, good, { headers: { 'idempotency-key': key } }),
    ),
  ),
  ...[
    ['another quantity', '{"productId":$P,"quantity":2,"userId":"owner"}'],
    ['another product', '{"productId":$OPEN,"userId":"owner"}'],
  ].flatMap(([what = '', body = '']) =>
    post('/api/purchase', `a key reused for ${what}`, body, {
      status: 422,
      slug: 'idempotency-key-reused',
      headers: { 'idempotency-key': 'used' },
    }),
  ),
  ...['/api/checkout', '/api/orders'].map(path =>
    post(path, 'a key reused for another way to buy', '{"productId":$P,"userId":"owner"}', {
      status: 422,
      slug: 'idempotency-key-reused',
      headers: { 'idempotency-key': 'used' },
    }),
  ),
  ...['x'.repeat(129), '', 'a b', 'é'].map(name =>
    post('/api/purchase', `X-User-Id ${JSON.stringify(name.slice(0, 9))}`, '{"productId":$P}', {
      headers: { 'x-user-id': name },
    }),
  ),
];

/** With IDENTITY=trusted there are no sessions, and a session's token is worth nothing. */
export const trustedRows: Row[] = [
  call('POST', '/api/session', { sender: 'nobody', status: 404, slug: 'not-found' }),
  call('POST', '/api/session', { status: 404, slug: 'not-found' }),
  ...buyPaths.map(path => post(path, 'a session', '{"productId":$P}', { ...strangers, sender: 'shopper' })),
  ...reads.map(path => call('GET', path, { ...strangers, sender: 'shopper' })),
  call('GET', '/api/admin/audit', { ...strangers, sender: 'shopper' }),
];
