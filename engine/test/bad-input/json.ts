import { gzipSync } from 'node:zlib';
import { buyPaths, post, type Row } from './row.js';

const good = '{"productId":$P,"userId":"u"}';
export const notJson: [what: string, body: string | Buffer][] = [
  ['a truncated body', '{"productId":$P'],
  ['an empty body', ''],
  ['blanks', ' \n\t '],
  ['an array', '[]'],
  ['an array of purchases', `[${good}]`],
  ['null', 'null'],
  ['a number', '1'],
  ['a string', '"$P"'],
  ['two values', `${good}${good}`],
  ['a comma too many', '{"productId":$P,"userId":"u",}'],
  ['single quotes', "{'productId':$P,'userId':'u'}"],
  ['a comment', `{"productId":$P,/* */"userId":"u"}`],
  ['NaN', '{"productId":NaN,"userId":"u"}'],
  ['a byte order mark', `\ufeff${good}x`],
  ['gzip', gzipSync(good)],
  ['gzip junk', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 255, 254])],
  ['UTF-16', Buffer.from(good, 'utf16le')],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('{"productId":$P,"userId":"'), Buffer.of(0xff), Buffer.from('"}')]),
  ],
  [
    'an overlong slash',
    Buffer.concat([Buffer.from('{"productId":$P,"userId":"'), Buffer.of(0xc0, 0xaf), Buffer.from('"}')]),
  ],
  ['__proto__', '{"productId":$P,"userId":"u","__proto__":{"a":1}}'],
  ['an escaped __proto__', '{"productId":$P,"userId":"u","\\u005f_proto__":{"a":1}}'],
  ['constructor.prototype', '{"productId":$P,"userId":"u","constructor":{"prototype":{}}}'],
  ['a duplicate key', '{"productId":$P,"userId":"u","quantity":1,"quantity":2}'],
  ['a duplicate key that is escaped', '{"productId":$P,"userId":"u","\\u0075serId":"v"}'],
  ['a duplicate key with one value', '{"productId":$P,"productId":$P,"userId":"u"}'],
  ['30,000 levels of arrays', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
  ['10,000 levels of objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['5,000 unknown fields', `{${Array.from({ length: 5000 }, (_, i) => `"f${i}":1`).join(',')}}`],
];

export const notTyped = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/jsonp',
  'json',
  ';',
  null,
];

/**
 * Bodies that are not JSON, or JSON with more than one meaning, for each way to buy; and bodies of another type.
 */
export const jsonRows: Row[] = buyPaths.flatMap(path => [
  ...notJson.map(([what, body]) => post(path, what, body)),
  post(path, '100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, {
    status: 413,
    slug: 'too-large',
  }),
  post(path, '2 MB', `{"userId":"${'x'.repeat(2_000_000)}"}`, { status: 413, slug: 'too-large' }),
  ...notTyped.map(type =>
    post(path, `type ${type}`, good, { type, status: 415, slug: 'unsupported-media-type' }),
  ),
]);
