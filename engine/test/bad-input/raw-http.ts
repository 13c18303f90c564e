import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { apiKey } from '../support/config.js';

/** HTTP as bytes on a socket. `$B` in a text stands for the body of a purchase, `$L` for its length. */
export type RawRow = { what: string; text: string; status: number; slug: string };

const auth = `Authorization: Bearer ${apiKey}`;
const json = 'Content-Type: application/json';
const host = 'Host: shop.example';
const get = (...lines: string[]) => `${['GET /api/products HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`;
const buy = (lines: string[], body = '$B') =>
  `${['POST /api/purchase HTTP/1.1', host, auth, json, ...lines].join('\r\n')}\r\n\r\n${body}`;
const chunked = 'Transfer-Encoding: chunked';
const length = 'Content-Length: $L';
const inChunks = 'CHUNK\r\n$B\r\n0\r\n\r\n';

const row = (what: string, text: string, status = 400, slug = 'invalid'): RawRow => ({
  what,
  text,
  status,
  slug,
});

/** HTTP that two parsers may read differently, bytes that are not HTTP, and requests that are too large. */
export const rawRows: RawRow[] = [
  row('Content-Length and Transfer-Encoding', buy([length, chunked])),
  row('Transfer-Encoding and Content-Length', buy([chunked, length], inChunks)),
  row('two Content-Lengths', buy([length, 'Content-Length: 1'])),
  row('two equal Content-Lengths', buy([length, length])),
  row('Content-Length of two numbers', buy(['Content-Length: $L, $L'])),
  row('Content-Length below zero', buy(['Content-Length: -1'])),
  row('Content-Length with a sign', buy(['Content-Length: +$L'])),
  row('Content-Length in hexadecimal', buy(['Content-Length: 0x1f'])),
  row('Content-Length beyond 64 bits', buy(['Content-Length: 99999999999999999999999'])),
  row('a coding followed by another', buy(['Transfer-Encoding: chunked, identity'], inChunks)),
  row('an unknown coding', buy(['Transfer-Encoding: xchunked'], inChunks)),
  row('an invalid chunk size', buy([chunked], 'zz\r\n$B\r\n0\r\n\r\n')),
  row('a chunk size beyond 64 bits', buy([chunked], 'fffffffffffffffff\r\n$B\r\n0\r\n\r\n')),
  row(
    'a chunk extension of 20 kB',
    buy([chunked], `1;${'x'.repeat(20_000)}\r\n1\r\n0\r\n\r\n`),
    413,
    'too-large',
  ),
  row('a chunk that is longer than declared', buy([chunked], '1\r\n$B\r\n0\r\n\r\n')),
  row('two Hosts', get(host, 'Host: other.example')),
  row('two equal Hosts', get(host, host)),
  row('two Hosts in different case', get(host, 'hOST: other.example')),
  row('no Host', get('Accept: */*')),
  row('obs-fold', get(host, 'X-A: a', ' b')),
  row('obs-fold with a tab', get(host, 'X-A: a', '\tb')),
  row('a first header that is folded', get(` ${host}`)),
  row('a space before the colon', get(`${host}`, 'X-A : b')),
  row('a header without a colon', get(host, 'nothing')),
  row('a header without a name', get(host, ': b')),
  row('NUL in a header', get(host, 'X-A: a\0b')),
  row('a bare CR in a header', get(host, 'X-A: a\rb')),
  row('a bare LF after the request line', `GET /api/products HTTP/1.1\n${host}\n\n`),
  row('a header of 20 kB', get(host, `X-A: ${'a'.repeat(20_000)}`), 431, 'headers-too-large'),
  row('a name of 20 kB', get(host, `${'a'.repeat(20_000)}: b`), 431, 'headers-too-large'),
  row('a path of 20 kB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n\r\n`, 431, 'headers-too-large'),
  row('3,000 headers', get(host, ...Array.from({ length: 3000 }, () => 'a:b')), 431, 'headers-too-large'),
  row(
    '101 headers',
    get(host, ...Array.from({ length: 100 }, (_, i) => `a${i}: b`)),
    431,
    'headers-too-large',
  ),
  row('an unknown method', `BUY /api/purchase HTTP/1.1\r\n${host}\r\n\r\n`),
  row('a method in lower case', `get /api/products HTTP/1.1\r\n${host}\r\n\r\n`),
  row('TRACE', `TRACE /api/products HTTP/1.1\r\n${host}\r\n\r\n`, 405, 'method-not-allowed'),
  row('an unknown version', `GET /api/products HTTP/1.2\r\n${host}\r\n\r\n`),
  row('version 2.0 in the syntax of 1.1', `GET /api/products HTTP/2.0\r\n${host}\r\n\r\n`),
  row('no version', `GET /api/products\r\n${host}\r\n\r\n`),
  row('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  row('TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'),
  row('another protocol', 'EHLO shop.example\r\n'),
  row('a control character in the path', `GET /api/\x01 HTTP/1.1\r\n${host}\r\n\r\n`),
  row('a space in the path', `GET /api/products /x HTTP/1.1\r\n${host}\r\n\r\n`),
];

type RawAnswer = { status: number; head: string; body: string };

export type RawSocket = {
  socket: Socket;
  received(): string;
  /** All complete answers so far, in order. */
  answers(): RawAnswer[];
  isOver(): boolean;
};

/** A connection that sends `text` and records what comes back; it closes with the test. */
export function sendRaw(url: string, text: string): RawSocket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  let isOver = false;
  socket.setEncoding('latin1').on('data', chunk => {
    received += chunk;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isOver = true;
  });
  socket.write(text, 'latin1');
  onTestFinished(() => {
    socket.destroy();
  });
  return { socket, received: () => received, answers: () => answersOf(received), isOver: () => isOver };
}

export function withPurchase(text: string, productId: number): string {
  const body = JSON.stringify({ productId, userId: 'raw' });
  const sized = text.replace(/^CHUNK/m, body.length.toString(16));
  return sized.replaceAll('$B', body).replaceAll('$L', String(body.length));
}

export const rawPurchase = buy([length]);

function answersOf(received: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = received;
  for (;;) {
    const [, head = '', status] = /^(HTTP\/1\.1 (\d{3})[\s\S]*?)\r\n\r\n/.exec(rest) ?? [];
    const bytes = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    const bodyAt = head.length + 4;
    if (status === undefined || !(rest.length >= bodyAt + bytes)) return answers;
    answers.push({ status: Number(status), head, body: rest.slice(bodyAt, bodyAt + bytes) });
    rest = rest.slice(bodyAt + bytes);
  }
}
