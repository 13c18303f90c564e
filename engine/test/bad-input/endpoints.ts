import { notJson, notTyped } from './json.js';
import { noIds, noLimits } from './paths.js';
import { call, post, type Row, withField } from './row.js';

const path = '/api/admin/webhooks';
const byOperator = { sender: 'operator' } as const;
const notThere = { ...byOperator, status: 404, slug: 'webhook-not-found' };
const good = { url: '"https://shop.example/hooks"', events: '["order.confirmed"]' };

const noUrls = [
  ...[
    '""',
    '1',
    'null',
    '[]',
    '"x"',
    '"//shop.example"',
    '"shop.example"',
    '"https://"',
    `"https://${'a'.repeat(2000)}"`,
  ],
  ...[
    '"ftp://shop.example"',
    '"javascript:alert(1)"',
    '"file:///etc/passwd"',
    '"https://user:pass@shop.example"',
  ],
  ...[
    '"https://127.0.0.1/x"',
    '"https://[::1]/"',
    '"https://169.254.169.254/latest"',
    '"https://[::ffff:10.0.0.1]/"',
  ],
  ...['"https://0x7f000001/"', '"https://2130706433/"', '"https://10.1.2.3"', '"https://[fc00::1]"'],
];
const noEvents = [
  ...[
    '[]',
    'null',
    '1',
    '"order.confirmed"',
    '{}',
    '[1]',
    '["nothing"]',
    '["order.confirmed","order.confirmed"]',
  ],
  ...['["ORDER.CONFIRMED"]', '["__proto__"]', '[null]'],
];
const noDescriptions = ['1', 'null', '[]', '"a\\u0000"', '"\\ud800"', `"${'x'.repeat(201)}"`];

const made = [
  ...notJson.map(([what, body]) => post(path, what, body, byOperator)),
  ...notTyped.map(type =>
    post(path, `type ${type}`, '{}', { ...byOperator, type, status: 415, slug: 'unsupported-media-type' }),
  ),
  post(path, '2 MB', `{"x":"${'x'.repeat(2_000_000)}"}`, { ...byOperator, status: 413, slug: 'too-large' }),
  ...withField(path, good, 'url', noUrls, byOperator),
  ...withField(path, good, 'events', noEvents, byOperator),
  ...withField(path, good, 'description', noDescriptions, byOperator),
  ...withField(path, good, 'secret', ['"whsec_mine"'], byOperator),
];

const acts: [method: string, rest: string, body?: string][] = [
  ['GET', ''],
  ['PATCH', '', '{}'],
  ['DELETE', ''],
  ['POST', '/rotate', '{}'],
  ['POST', '/test', '{}'],
  ['GET', '/deliveries'],
  ['POST', '/replay', '{"since":"2026-01-01T00:00:00Z"}'],
  ['POST', '/deliveries/1/replay', '{}'],
];
const one = acts.flatMap(([method, rest, body]) => [
  ...noIds
    .filter(id => id !== '')
    .map(id => ({ ...call(method, `${path}/${id}${rest}`, byOperator), ...(body && { body }) })),
  { ...call(method, `${path}/999999${rest}`, notThere), ...(body && { body }) },
]);

const values = [
  ...withField(
    `${path}/1/rotate`,
    {},
    'overlapSeconds',
    ['-1', '1.5', '604801', '"1"', 'null', '[]'],
    byOperator,
  ),
  ...withField(
    `${path}/1/replay`,
    {},
    'since',
    ['""', '1', 'null', '"yesterday"', '"2026-13-01T00:00:00Z"'],
    byOperator,
  ),
  ...noLimits.map(limit => call('GET', `${path}/1/deliveries?limit=${limit}`, byOperator)),
  ...['x', '"sent"', 'DELIVERED;drop'].map(status =>
    call('GET', `${path}/1/deliveries?status=${encodeURIComponent(status)}`, byOperator),
  ),
];

const callers = [
  ['GET', path] as const,
  ...acts.map(([method, rest]) => [method, `${path}/1${rest}`] as const),
].flatMap(([method, where]) => [
  call(method, where, {
    sender: 'nobody',
    status: 401,
    slug: 'not-authenticated',
    what: `${method} ${where} without credentials`,
  }),
  call(method, where, { status: 403, slug: 'forbidden', what: `${method} ${where} by the shop` }),
  call(method, where, {
    sender: 'shopper',
    status: 403,
    slug: 'forbidden',
    what: `${method} ${where} by a shopper`,
  }),
]);

/** The operator's calls that manage webhook endpoints. */
export const endpointRows: Row[] = [...made, ...one, ...values, ...callers];
