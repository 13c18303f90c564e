import { type IncomingHttpHeaders, request } from 'node:http';
import { credentials } from './cluster.js';

export type Answer = { status: number; headers: IncomingHttpHeaders; body: unknown };

export type Call = {
  body?: object | undefined;
  /** The shopper, if the body does not name one. */
  userId?: string | undefined;
  idempotencyKey?: string | undefined;
  /** The caller's token or cookie. Defaults to the shop's own server, or to the operator for operator paths. */
  bearer?: string | undefined;
  cookie?: string | undefined;
  timeoutMs?: number | undefined;
};

// The engine decides or refuses within 2 s. A connection that died with a killed process never answers.
const answerTimeoutMs = 3000;

/** One call over its own connection. @throws if there is no answer. */
export function call(url: string, method: string, path: string, asked: Call = {}): Promise<Answer> {
  const { body, userId, idempotencyKey, cookie, timeoutMs = answerTimeoutMs } = asked;
  const own = path.startsWith('/api/admin') ? credentials.OPERATOR_TOKEN : credentials.API_KEY;
  const headers = {
    ...(cookie ? { cookie } : { authorization: `Bearer ${asked.bearer ?? own}` }),
    ...(body && { 'content-type': 'application/json' }),
    ...(userId && { 'x-user-id': userId }),
    ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, headers, agent: false, timeout: timeoutMs }, answer => {
      let text = '';
      answer.on('data', chunk => {
        text += chunk;
      });
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: text === '' ? undefined : JSON.parse(text),
        }),
      );
      answer.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} was not answered`)));
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}
