import { call, type Row } from './row.js';

const operatorReads = ['/api/admin/orders', '/api/admin/attempts', '/api/admin/attempts/summary'];
export const noIds = [
  '0',
  '-1',
  '1e3',
  '0x1',
  '+1',
  '1.0',
  '99999999999999999999',
  '',
  '%20',
  '1%00',
  "'%20or%201=1--",
  '1;select%20pg_sleep(5)',
  '%E2%91%A0',
];
export const noUuids = [
  'not-a-uuid',
  '0'.repeat(36),
  '%00',
  "'%20or%201=1--",
  '1%20;%20drop%20table%20orders',
  `${'0'.repeat(8)}-0000-0000-0000-00000000000g`,
];
export const noLimits = ['0', '-1', '1e3', '100001', 'all', '', '1;drop'];
const asShopper = { headers: { 'x-user-id': 'u' } };
const asOperator = { sender: 'operator' } as const;

const ids = noIds.flatMap(id => [
  // Without an id it is another path.
  ...(id === '' ? [] : [call('GET', `/api/products/${id}`), call('GET', `/api/stock/${id}`)]),
  ...(id === '' ? [] : [call('POST', `/api/admin/sales/${id}/pause`, asOperator)]),
  ...(id === '' ? [] : [call('GET', `/api/admin/dead-letters/${id}`, asOperator)]),
  ...(id === '' ? [] : [call('GET', `/api/admin/sales/${id}`, asOperator)]),
  call('GET', `/api/precheck?productId=${id}`, asShopper),
  call('GET', `/api/products?after=${id}`),
  ...operatorReads.map(path => call('GET', `${path}?saleId=${id}`, asOperator)),
]);

const queries = [
  ...noLimits.map(limit => call('GET', `/api/products?limit=${limit}`)),
  ...noLimits.map(limit => call('GET', `/api/attempts?limit=${limit}`, asShopper)),
  ...noLimits.map(limit => call('GET', `/api/admin/orders?saleId=$S&limit=${limit}`, asOperator)),
  call('GET', '/api/products?limit=1&limit=2'),
  call('GET', '/api/precheck?productId=1&productId=2', asShopper),
  call('GET', '/api/admin/orders?saleId=1&saleId=2', asOperator),
  call('GET', '/api/products?sort=id;drop'),
  call('GET', '/api/products/'),
  call('GET', '/api/products?limit[]=1'),
  call('GET', '/api/products?__proto__=1'),
  call('GET', '/api/products?constructor[prototype]=1'),
  call('GET', '/api/precheck?productId=1&quantity=2', asShopper),
  call('GET', '/api/precheck', asShopper),
  call('GET', '/api/admin/attempts?saleId=$S&format=xml', asOperator),
  call('GET', '/api/admin/attempts?outcome=won', asOperator),
  call('GET', '/api/admin/attempts?from=yesterday', asOperator),
  call('GET', "/api/admin/attempts?after='", asOperator),
  call('GET', '/api/admin/attempts?shopperId=%00', asOperator),
  call('GET', '/api/admin/dead-letters?status=OLD', asOperator),
  call('GET', '/api/admin/orders', asOperator),
  call('GET', '/api/admin/orders?saleId=$S&status=sold', asOperator),
  call('GET', '/api/admin/orders?saleId=$S&entrance=back', asOperator),
  call('GET', '/api/admin/orders?saleId=$S&shopperId=%00', asOperator),
  call('GET', '/api/admin/sales?state=sold-out', asOperator),
  call('GET', '/api/admin/sales?before=0', asOperator),
  call('GET', '/api/admin/stats?from=yesterday', asOperator),
  call('GET', '/api/admin/stats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', asOperator),
  call('GET', '/api/admin/stats?from=1926-01-02T00:00:00Z', asOperator),
  call('GET', `/api/products?x=${'a'.repeat(10_000)}`, { what: 'a query of 10 kB' }),
];

const notFound = { status: 404, slug: 'not-found' };
const unknown = [
  ...[
    '/api/nothing',
    '/',
    '/..',
    '/api/../etc/passwd',
    '/api/%2e%2e%2fetc',
    '//api/products',
    '/API/products',
    '/api//products',
  ].map(path => call('GET', path, notFound)),
  call('GET', `/api/${'x/'.repeat(2000)}`, { ...notFound, what: 'a path of 2,000 parts' }),
  call('GET', `/api/products/${'1'.repeat(5000)}`, { what: 'an id of 5,000 digits' }),
  ...['/api/products/%zz', '/api/products/%', '/api/products/%C0%AF', '/api/%zz'].map(path =>
    call('GET', path),
  ),
  call('GET', '/api/products/999999', { status: 404, slug: 'product-not-found' }),
  call('GET', '/api/stock/999999', { status: 404, slug: 'product-not-found' }),
  call('GET', '/api/precheck?productId=999999', { ...asShopper, status: 404, slug: 'product-not-found' }),
  ...noUuids.flatMap(id => [
    call('GET', `/api/orders/${id}`, asShopper),
    call('DELETE', `/api/orders/${id}`, asShopper),
    call('GET', `/api/orders/${id}/events`, asShopper),
  ]),
];

const wrongMethod = { status: 405, slug: 'method-not-allowed' };
const methods: [path: string, methods: string[]][] = [
  ['/api/purchase', ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'HEAD']],
  ['/api/checkout', ['GET', 'PUT', 'DELETE', 'TRACE']],
  ['/api/orders', ['DELETE', 'PUT', 'TRACE']],
  ['/api/orders/0189f0f0-0000-7000-8000-000000000000', ['PUT', 'POST', 'PATCH', 'TRACE']],
  ['/api/products', ['POST', 'DELETE', 'PUT', 'TRACE', 'PROPFIND']],
  ['/api/stock/1', ['PUT', 'POST', 'TRACE', 'SEARCH']],
  ['/api/precheck', ['POST', 'TRACE']],
  ['/api/session', ['GET', 'DELETE', 'TRACE']],
  ['/api/live', ['POST', 'TRACE']],
  ['/api/health', ['POST', 'TRACE']],
  ['/api/webhooks/payments', ['GET', 'TRACE']],
  ['/api/admin/audit', ['POST', 'DELETE', 'TRACE']],
  ['/api/admin/products', ['GET', 'TRACE']],
];

/** Undocumented paths and queries, and methods that a path does not support. */
export const pathRows: Row[] = [
  ...ids,
  ...queries,
  ...unknown,
  ...methods.flatMap(([path, names]) => names.map(method => call(method, path, wrongMethod))),
];
