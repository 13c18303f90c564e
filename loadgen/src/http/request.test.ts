import { describe, expect, it } from 'vitest';
import { requestWriter } from './request.js';
import { parseTargets } from './target.js';

const [target] = parseTargets('http://127.0.0.1:3000');
const options = {
  target,
  path: '/api/purchase',
  apiKey: 'the-key',
  keys: true,
  productId: 7,
  quantity: 1,
  runId: 'run',
  shopperOf: (ordinal: number) => ordinal,
};

describe('a purchase', () => {
  it('with the API key names a shopper', () => {
    const request = requestWriter(options).write(3);
    expect(request).toContain('Authorization: Bearer the-key\r\n');
    expect(request).toContain('Idempotency-Key: run-000000003\r\n');
    expect(bodyOf(request)).toEqual({ productId: 7, quantity: 1, userId: 'load-run-000000003' });
  });

  it('with callers has the headers of each in turn, and names no shopper', () => {
    const { write } = requestWriter({ ...options, callers: ['cookie: a\r\n', 'cookie: b\r\n'] });
    for (const [ordinal, cookie] of ['a', 'b', 'a'].entries()) {
      const request = write(ordinal);
      expect(request).toContain(`\r\ncookie: ${cookie}\r\n`);
      expect(request).not.toContain('Authorization');
      expect(request).toContain(`Idempotency-Key: run-00000000${ordinal}\r\n`);
      expect(bodyOf(request)).toEqual({ productId: 7, quantity: 1 });
    }
  });
});

/** The body, if its length is the one stated. */
function bodyOf(request: string): unknown {
  const [head = '', body = ''] = request.split('\r\n\r\n');
  expect(head).toContain(`Content-Length: ${body.length}`);
  return JSON.parse(body);
}
