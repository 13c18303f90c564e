import { describe, expect, it } from 'vitest';
import { ResponseParser } from './response-parser.js';

const COUNTED =
  'HTTP/1.1 409 Conflict\r\ncontent-type: application/json\r\nContent-Length: 12\r\nDate: x\r\n\r\n{"a":"é!"}\n';
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\nA\r\n, the shop\r\n0\r\nTrailer: 1\r\n\r\n';

function parse(...chunks: Buffer[]) {
  const parser = new ResponseParser();
  const responses: string[] = [];
  for (const chunk of chunks) {
    parser.feed(Buffer.from(chunk));
    for (let result = parser.take(); result !== 'more'; result = parser.take()) {
      if (result === 'malformed') return ['malformed'];
      responses.push(`${parser.status} ${parser.body} ${parser.keepAlive ? 'keep' : 'close'}`);
    }
  }
  return responses;
}

describe('a response', () => {
  it.each([
    ['counted', COUNTED, '409 {"a":"é!"}\n keep'],
    ['chunked', CHUNKED, '200 hello, the shop keep'],
    ['interim, then final', `HTTP/1.1 100 Continue\r\n\r\n${COUNTED}`, '409 {"a":"é!"}\n keep'],
  ])('that is %s reads the same however it is split', (_kind, text, expected) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(parse(bytes.subarray(0, at), bytes.subarray(at)), `split at ${at}`).toEqual([expected]);
    }
  });

  it('arrives byte by byte', () => {
    const bytes = Buffer.from(COUNTED + CHUNKED);
    const single = Array.from(bytes, byte => Buffer.from([byte]));
    expect(parse(...single)).toEqual(['409 {"a":"é!"}\n keep', '200 hello, the shop keep']);
  });

  it('survives the reuse of the read buffer', () => {
    const parser = new ResponseParser();
    const shared = Buffer.from(COUNTED);
    parser.feed(shared.subarray(0, 40));
    expect(parser.take()).toBe('more');
    const rest = Buffer.from(shared.subarray(40));
    shared.fill(0);
    parser.feed(rest);
    expect(parser.take()).toBe('response');
    expect(parser.status).toBe(409);
  });

  it('can be one of several in a chunk', () => {
    expect(parse(Buffer.from(COUNTED + CHUNKED + COUNTED))).toHaveLength(3);
  });

  it('without a body is complete after its head', () => {
    expect(parse(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'))).toEqual(['204  keep']);
    expect(parse(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))).toEqual(['200  keep']);
  });
});

describe('the end of the connection', () => {
  it('is announced by Connection: close', () => {
    const text = 'HTTP/1.1 503 Busy\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}';
    expect(parse(Buffer.from(text))).toEqual(['503 {} close']);
  });

  it('is implied by HTTP/1.0', () => {
    expect(parse(Buffer.from('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'))).toEqual(['200 ok close']);
  });

  it('ends a body without a length', () => {
    const parser = new ResponseParser();
    parser.feed(Buffer.from('HTTP/1.1 200 OK\r\nserver: x\r\n\r\nall of '));
    expect(parser.take()).toBe('more');
    parser.feed(Buffer.from('it'));
    expect(parser.take()).toBe('more');
    expect(parser.takeAtEnd()).toBe('response');
    expect([parser.status, parser.body, parser.keepAlive]).toEqual([200, 'all of it', false]);
  });

  it('in the middle of a counted body yields no response', () => {
    const parser = new ResponseParser();
    parser.feed(Buffer.from(COUNTED).subarray(0, -1));
    expect(parser.take()).toBe('more');
    expect(parser.takeAtEnd()).toBe('more');
  });
});

describe('an invalid HTTP answer', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.9 and more\r\n'],
    ['a status out of range', 'HTTP/1.1 999 Nope\r\n\r\n'],
    ['a length that is not a number', 'HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n'],
    ['a body beyond the limit', 'HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n'],
    ['a broken chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a chunk longer than its size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(20_000)}`],
  ])('is refused: %s', (_kind, text) => {
    expect(parse(Buffer.from(text))).toEqual(['malformed']);
  });
});
