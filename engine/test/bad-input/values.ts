import { buyPaths, call, goodBuy, post, type Row, withField } from './row.js';

const noCounts = [
  '0',
  '-1',
  '"1"',
  'true',
  '[1]',
  'null',
  '""',
  '{}',
  '1.5',
  '1e400',
  '-1e400',
  '9007199254740993',
  '2147483648',
];
const noIds = [...noCounts.filter(value => value !== '2147483648'), '{"id":1}', '"$P"'];
const noShoppers = ['""', '-1', '1.5', 'true', 'null', '{"a":1}', '["u"]', `"${'x'.repeat(129)}"`];
const noMethods = ['""', '1', 'null', '"pm card"', '["card"]', `"${'x'.repeat(256)}"`];
const noCodes = ['""', '1', 'null', 'true', '[]', '{}', `["${'A'.repeat(43)}"]`, `"${'A'.repeat(101)}"`];
const unknownFields = [
  'price',
  'status',
  'totalPrice',
  'remainingStock',
  'saleId',
  'shopperId',
  'id',
  'ProductId',
];

const purchases = buyPaths.flatMap(path => [
  ...withField(path, goodBuy, 'quantity', noCounts),
  ...withField(path, goodBuy, 'productId', noIds),
  ...withField(path, goodBuy, 'userId', noShoppers),
  ...unknownFields.flatMap(field => withField(path, goodBuy, field, ['1'])),
  post(path, 'no productId', '{"userId":"u"}'),
  post(path, 'no shopper', '{"productId":$P}'),
  ...withField(path, goodBuy, 'forceFail', ['true', '1', '"true"', 'null']),
  post(path, 'a product that does not exist', '{"productId":999999,"userId":"u"}', {
    status: 404,
    slug: 'product-not-found',
  }),
  ...withField(path, goodBuy, 'quantity', ['11', '2147483647', '1.1e1'], {
    status: 409,
    slug: 'limit-reached',
  }),
]);

const noLimitKeys = ['""', '1', 'null', '{}', '"a\\u0000b"', '"a\\nb"', '"\\ud800"', `"${'x'.repeat(501)}"`];
const code = { code: `"${'A'.repeat(43)}"`, userId: '"u"' };
const redemptions = [
  ...withField('/api/purchase', code, 'code', noCodes),
  ...withField('/api/purchase', code, 'productId', ['$P']),
  ...withField('/api/purchase', code, 'quantity', ['1']),
  ...['challenge', 'token', 'paymentFingerprint', 'addressKey'].flatMap(field =>
    withField('/api/purchase', code, field, ['"x"']),
  ),
  ...buyPaths.flatMap(path =>
    ['paymentFingerprint', 'addressKey'].flatMap(field => withField(path, goodBuy, field, noLimitKeys)),
  ),
  ...buyPaths.flatMap(path =>
    withField(path, goodBuy, 'challenge', ['""', '1', 'null', `"${'x'.repeat(1001)}"`]),
  ),
  ...buyPaths.flatMap(path => withField(path, goodBuy, 'token', ['""', '1', 'null', `"${'x'.repeat(101)}"`])),
  ...withField('/api/purchase', code, 'paymentMethod', noMethods),
  ...['/api/purchase', '/api/orders'].flatMap(path => withField(path, goodBuy, 'paymentMethod', noMethods)),
  // The code pays for a checkout, and only a purchase accepts codes.
  ...withField('/api/checkout', goodBuy, 'paymentMethod', ['"card"']),
  ...['/api/checkout', '/api/orders'].flatMap(path => withField(path, goodBuy, 'code', ['"x"'])),
];

const products = '/api/admin/products';
const product = { name: '"x"', priceMinor: '1', currency: '"EUR"' };
const sales = '/api/admin/sales';
const sale = {
  productId: '$P',
  startsAt: '"2036-01-01T00:00:00Z"',
  endsAt: '"2037-01-01T00:00:00Z"',
  allocation: '1',
  perUserLimit: '1',
};
const noTimes = [
  '0',
  '"tomorrow"',
  '"2036-13-01T00:00:00Z"',
  '"2036-01-01"',
  'null',
  '"+999999-01-01T00:00:00Z"',
];
const hourly = '{"cron":"0 * * * *","timeZone":"UTC"}';
const byOperator = { sender: 'operator' } as const;
const changed = { ...byOperator, method: 'PATCH' };
const operators = [
  ...withField(products, product, 'name', ['""', '1', 'null', `"${'x'.repeat(201)}"`], byOperator),
  ...withField(products, product, 'description', ['1', 'null', `"${'x'.repeat(10_001)}"`], byOperator),
  ...withField(
    products,
    product,
    'imageUrl',
    ['"x"', '"javascript:alert(1)"', '"file:///etc/passwd"', '1'],
    byOperator,
  ),
  ...withField(
    products,
    product,
    'priceMinor',
    ['-1', '1.5', '"1"', '1000000001', '1e400', 'null'],
    byOperator,
  ),
  ...withField(products, product, 'currency', ['"euro"', '"eur"', '""', '978'], byOperator),
  ...withField(products, product, 'id', ['5'], byOperator),
  ...withField(`${products}/$P`, {}, 'name', ['""', 'null', '1'], changed),
  ...withField(`${products}/$P`, {}, 'imageUrl', ['""', '"javascript:alert(1)"', '1'], changed),
  ...withField(`${products}/$P`, {}, 'priceMinor', ['-1', 'null', '"1"'], changed),
  ...withField(`${products}/$P`, {}, 'id', ['5'], changed),
  ...withField(sales, sale, 'productId', ['0', '"1"', 'null'], byOperator),
  ...withField(sales, sale, 'startsAt', [...noTimes, '"2037-01-01T00:00:00Z"'], byOperator),
  // With a pattern, rules about both times apply, which must not run on an invalid time.
  ...['startsAt', 'endsAt'].flatMap(field =>
    withField(sales, { ...sale, recurrence: hourly }, field, noTimes, byOperator),
  ),
  ...withField(sales, sale, 'endsAt', [...noTimes, '"2036-01-01T00:00:00Z"'], byOperator),
  ...withField(
    sales,
    sale,
    'allocation',
    [...noCounts.filter(value => value !== '2147483648'), '2000000001'],
    byOperator,
  ),
  ...withField(sales, sale, 'perUserLimit', ['0', '100001', '1.5', '"1"'], byOperator),
  ...['perPaymentLimit', 'perAddressLimit'].flatMap(field =>
    withField(sales, sale, field, ['0', '100001', '1.5', '"1"', 'true'], byOperator),
  ),
  ...withField(sales, sale, 'holdTtlSeconds', ['0', '86401', 'null', '"900"'], byOperator),
  ...withField(sales, sale, 'payment', ['"later"', 'true', 'null'], byOperator),
  ...withField(sales, sale, 'prizeOdds', ['0', '1000001', '0.5'], byOperator),
  ...withField(sales, sale, 'challenge', ['0', '999', '10000001', '1000.5', '"1000"', 'true'], byOperator),
  ...withField(sales, sale, 'requiresToken', ['1', '"true"', 'null'], byOperator),
  ...withField(
    sales,
    sale,
    'recurrence',
    [
      ...['{}', '"0 * * * *"', '{"cron":"0 * * * *"}', '{"cron":"0 * * * *","timeZone":"UTC"}'],
      '{"cron":"0 0 0 1 1 *","timeZone":"UTC"}',
      '{"cron":"0 0 1 1 *","timeZone":"Mars/Phobos"}',
      `{"cron":"${'0'.repeat(101)}","timeZone":"UTC"}`,
    ],
    byOperator,
  ),
  ...withField(sales, sale, 'productId', ['999999'], {
    ...byOperator,
    status: 404,
    slug: 'product-not-found',
  }),
  ...['pause', 'resume', 'end'].map(verb =>
    call('POST', `/api/admin/sales/999999/${verb}`, { ...byOperator, status: 404, slug: 'sale-not-found' }),
  ),
  call('POST', '/api/admin/series/999999/end', { ...byOperator, status: 404, slug: 'series-not-found' }),
  ...['replay', 'discard'].flatMap(verb => [
    post(`/api/admin/dead-letters/999999/${verb}`, verb, '{}', {
      ...byOperator,
      status: 404,
      slug: 'dead-letter-not-found',
    }),
    post(`/api/admin/dead-letters/1/${verb}`, `${verb} with dryRun "true"`, '{"dryRun":"true"}', byOperator),
  ]),
];

/** Values of the wrong type or out of range; above the limit; references to things that do not exist. */
export const valueRows: Row[] = [...purchases, ...redemptions, ...operators];
