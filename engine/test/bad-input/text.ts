import { buyPaths, goodBuy, post, type Row, withField } from './row.js';

const noText = [
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00x"',
  '"\\ud800\\ud800"',
  `"e${'\u0301'.repeat(10_000)}"`,
];
const noLine = ['"a\\nb"', '"a\\r\\nSet-Cookie: x=1"', '"a\\tb"', '"\\u0085"', '"\\u007f"'];
const operator = { sender: 'operator' } as const;
const product = { name: '"x"', priceMinor: '1', currency: '"EUR"' };

/** Text that PostgreSQL cannot store, that would break a header, or that is too long. */
export const unicodeRows: Row[] = [
  ...buyPaths.flatMap(path => withField(path, goodBuy, 'userId', [...noText, ...noLine])),
  ...['/api/purchase', '/api/orders'].flatMap(path =>
    withField(path, goodBuy, 'paymentMethod', [...noText, ...noLine, '"💳"']),
  ),
  ...withField('/api/purchase', { userId: '"u"' }, 'code', noText.slice(0, 4)),
  ...withField('/api/purchase', { userId: '"u"' }, 'code', ['"\\n"', '"💥"'], {
    status: 404,
    slug: 'code-not-found',
  }),
  ...withField('/api/admin/products', product, 'name', noText, operator),
  ...withField('/api/admin/products', product, 'description', noText.slice(0, 4), operator),
];

const fields: [path: string, field: string, good: Record<string, string>][] = [
  ['/api/purchase', 'userId', goodBuy],
  ['/api/purchase', 'code', { userId: '"u"' }],
  ['/api/orders', 'paymentMethod', goodBuy],
  ['/api/checkout', 'productId', goodBuy],
  ['/api/admin/products', 'name', product],
  ['/api/admin/products', 'imageUrl', product],
  ['/api/admin/products', 'currency', product],
  ['/api/admin/sales', 'startsAt', { productId: '$P' }],
  ['/api/admin/faults', 'place', {}],
];

// Each makes one kind of careless pattern backtrack.
const long = (text: string) => `"${text.repeat(Math.ceil(50_000 / text.length))}!"`;
const longTexts = ['a', '0', ' ', '1.', 'http://', '2026-', '%00', '((', 'a@', '\\\\'].map(long);

/** 50 KB against every pattern; the runner gives each a deadline. */
export const longRows: Row[] = [
  ...fields.flatMap(([path, field, good]) =>
    withField(path, good, field, longTexts, {
      ...(path.includes('admin') ? { sender: 'operator' } : {}),
      // The check whether faults are enabled comes first.
      ...(path.endsWith('faults') ? { status: 403, slug: 'faults-disabled' } : {}),
    }),
  ),
  ...['x'.repeat(256), '1.'.repeat(500), '%'.repeat(1000), 'a '.repeat(500)].flatMap(key => [
    post('/api/purchase', `a key of ${key.length}`, '{"productId":$P,"userId":"u"}', {
      headers: { 'idempotency-key': key },
    }),
    post('/api/purchase', `a shopper of ${key.length}`, '{"productId":$P}', {
      headers: { 'x-user-id': key },
    }),
  ]),
];
