import { notJson, notTyped } from './json.js';
import { noIds, noLimits, noUuids } from './paths.js';
import { buyPaths, call, goodBuy, post, type Row, withField } from './row.js';

const byOperator = { sender: 'operator' } as const;
const byNobody = { sender: 'nobody' } as const;
const asShopper = { headers: { 'x-user-id': 'u' } };
const letter = '/api/admin/dead-letters/1';

const withBody: [path: string, rest: { sender?: 'operator' | 'nobody' }][] = [
  ['/api/users', {}],
  ['/api/users/batch', {}],
  ['/api/admin/session', byNobody],
  ['/api/admin/products', byOperator],
  ['/api/admin/sales', byOperator],
  ['/api/admin/rehearsals', byOperator],
  [`${letter}/replay`, byOperator],
  [`${letter}/discard`, byOperator],
];
const mayComeWithoutBody = new Set(['/api/users', `${letter}/replay`, `${letter}/discard`]);
const noBodies = new Set(['an empty body', 'blanks', 'null']);

const bodies = withBody.flatMap(([path, rest]) => [
  ...notJson
    .filter(([what]) => !(mayComeWithoutBody.has(path) && noBodies.has(what)))
    .map(([what, body]) => post(path, what, body, rest)),
  ...notTyped.map(type =>
    post(path, `type ${type}`, '{}', { ...rest, type, status: 415, slug: 'unsupported-media-type' }),
  ),
  post(path, '2 MB', `{"x":"${'x'.repeat(2_000_000)}"}`, { ...rest, status: 413, slug: 'too-large' }),
]);

const noCounts = ['0', '-1', '10001', '1.5', '1e400', '"1"', 'true', '[1]', '{}', 'null', '9007199254740993'];
const noKinds = [
  '""',
  '1',
  'null',
  '[]',
  '"nobody"',
  '"user; drop"',
  '"us\\u0000er"',
  '"__proto__"',
  '"USER"',
];
const noNames = ['""', '1', 'null', '[]', '"a b"', '"a\\u0000"', '"\\ud800"', '"é"', `"${'a'.repeat(1000)}"`];
const noSecrets = ['""', '1', 'null', '[]', '{}', `"${'x'.repeat(1001)}"`];
const terms = { allocation: '1', shoppers: '1', ratePerSecond: '1', seconds: '1' };
const noTerms = ['0', '-1', '1.5', '1000001', '1e400', '"1"', 'true', '[1]', '{}', 'null'];
const secret = { secret: '"a-secret-that-is-none"' };
const values = [
  ...withField('/api/users/batch', {}, 'count', noCounts),
  ...withField('/api/users/batch', { count: '1' }, 'kind', noKinds),
  ...withField('/api/users', {}, 'kind', noKinds),
  ...withField('/api/users', {}, 'count', ['1']),
  ...withField('/api/admin/session', secret, 'operator', noNames, byNobody),
  ...withField('/api/admin/session', {}, 'secret', noSecrets, byNobody),
  ...Object.keys(terms).flatMap(name => withField('/api/admin/rehearsals', terms, name, noTerms, byOperator)),
  ...['replay', 'discard'].flatMap(verb =>
    withField(`${letter}/${verb}`, {}, 'dryRun', ['1', '"true"', 'null', '[]'], byOperator),
  ),
];

// U+0000 and the like cannot occur in a valid proof; it is refused where it is checked, and no sale here requires
// one.
const noHeaders = [
  '0',
  '-1',
  '1e3',
  'x',
  '1,5',
  '100000',
  '1.2345',
  '1 2',
  '0.000',
  'Infinity',
  '1'.repeat(300),
];
const headers = buyPaths.flatMap(path =>
  noHeaders.map(seconds =>
    post(path, `Request-Timeout ${seconds.slice(0, 12)}`, '{"productId":$P,"userId":"u"}', {
      headers: { 'request-timeout': seconds },
    }),
  ),
);

const reads = [
  ...noIds
    .filter(id => id !== '')
    .flatMap(id => [
      call('GET', `/api/stock/${id}/events`),
      call('POST', `/api/admin/series/${id}/end`, byOperator),
      call('POST', `/api/admin/sales/${id}/resume`, byOperator),
      call('POST', `/api/admin/sales/${id}/end`, byOperator),
      call('GET', `/api/admin/rehearsals/${id}`, byOperator),
      call('DELETE', `/api/admin/rehearsals/${id}`, byOperator),
    ]),
  ...noIds.flatMap(id => [
    call('GET', `/api/challenge?productId=${id}`, asShopper),
    call('GET', `/api/purchase-token?productId=${id}`, asShopper),
    call('GET', `/api/orders?productId=${id}`, asShopper),
    call('GET', `/api/attempts?productId=${id}`, asShopper),
    call('GET', `/api/admin/series?after=${id}`, byOperator),
    call('GET', `/api/admin/actions?before=${id}`, byOperator),
    call('GET', `/api/admin/dead-letters?before=${id}`, byOperator),
  ]),
  ...noLimits.flatMap(limit => [
    call('GET', `/api/orders?limit=${limit}`, asShopper),
    call('GET', `/api/admin/series?limit=${limit}`, byOperator),
    call('GET', `/api/admin/rehearsals?limit=${limit}`, byOperator),
    call('GET', `/api/admin/sessions?limit=${limit}`, byOperator),
    call('GET', `/api/admin/actions?limit=${limit}`, byOperator),
    call('GET', `/api/admin/dead-letters?limit=${limit}`, byOperator),
  ]),
  ...noUuids.map(id => call('DELETE', `/api/admin/sessions/${id}`, byOperator)),
  call('GET', '/api/stock/999999/events', { status: 404, slug: 'sale-not-found' }),
  ...['challenge', 'purchase-token'].flatMap(thing => [
    call('GET', `/api/${thing}?productId=999999`, { ...asShopper, status: 404, slug: 'product-not-found' }),
    call('GET', `/api/${thing}?productId=$P`, { ...asShopper, status: 404, slug: 'not-found' }),
  ]),
  ...['x', '-1', '1e3', '', '99999999999', '1.5', '7'].map(seen =>
    call('GET', '/api/orders/$ORDER/events', {
      what: `Last-Event-ID ${seen}`,
      headers: { 'x-user-id': 'owner', 'last-event-id': seen },
    }),
  ),
  call('DELETE', '/api/admin/faults?place=x', { ...byOperator, status: 403, slug: 'faults-disabled' }),
];

const forbidden = { status: 403, slug: 'forbidden' };
const unknown: [method: string, path: string, slug: string][] = [
  ['POST', '/api/admin/sales/999999/pause', 'sale-not-found'],
  ['POST', '/api/admin/sales/999999/resume', 'sale-not-found'],
  ['POST', '/api/admin/sales/999999/end', 'sale-not-found'],
  ['POST', '/api/admin/series/999999/end', 'series-not-found'],
  ['GET', '/api/admin/rehearsals/999999', 'not-found'],
  ['DELETE', '/api/admin/rehearsals/999999', 'not-found'],
  ['GET', '/api/admin/dead-letters/999999', 'dead-letter-not-found'],
  ['POST', '/api/admin/dead-letters/999999/replay', 'dead-letter-not-found'],
  ['POST', '/api/admin/dead-letters/999999/discard', 'dead-letter-not-found'],
  ['DELETE', '/api/admin/sessions/00000000-0000-4000-8000-000000000000', 'session-not-found'],
  ['DELETE', '/api/admin/session', 'session-not-found'],
];
const callers = [
  ...unknown.map(([method, path, slug]) => call(method, path, { ...byOperator, status: 404, slug })),
  ...(
    [
      ['GET', '/api/admin/session'],
      ['GET', '/api/admin/sessions'],
      ['DELETE', '/api/admin/sessions/00000000-0000-4000-8000-000000000000'],
      ['GET', '/api/admin/actions'],
      ['GET', '/api/admin/protection'],
    ] as const
  ).flatMap(([method, path]) => [
    call(method, path, {
      ...byNobody,
      status: 401,
      slug: 'not-authenticated',
      what: `${method} ${path} without credentials`,
    }),
    call(method, path, { ...forbidden, what: `${method} ${path} by the shop` }),
    call(method, path, { ...forbidden, sender: 'shopper', what: `${method} ${path} by a shopper` }),
  ]),
  post('/api/users', 'a shopper requests an id', '{}', { ...forbidden, sender: 'shopper' }),
  post('/api/users/batch', 'a shopper requests ids', '{"count":1}', { ...forbidden, sender: 'shopper' }),
  ...['/api/orders', '/api/attempts', '/api/precheck?productId=$P'].map(path =>
    call('GET', path, {
      sender: 'shopper',
      headers: { 'x-user-id': 'owner' },
      what: `${path} of another shopper`,
    }),
  ),
  ...buyPaths.flatMap(path =>
    ['paymentFingerprint', 'addressKey'].flatMap(field =>
      withField(path, { productId: goodBuy.productId }, field, ['"x"'], { sender: 'shopper' }),
    ),
  ),
];

/** The other calls with the bad values that the other files send to purchases. */
export const otherRows: Row[] = [...bodies, ...values, ...headers, ...reads, ...callers];
