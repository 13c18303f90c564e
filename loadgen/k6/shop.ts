import { check } from 'k6';
import http, { type RefinedResponse } from 'k6/http';

const baseUrl = __ENV.BASE_URL ?? 'http://127.0.0.1:3000';
const productId = Number(__ENV.PRODUCT_ID);
if (!(productId > 0) || !__ENV.API_KEY) {
  throw new Error('Give -e API_KEY=... and -e PRODUCT_ID=..., which the warm-up prints.');
}

type Answer = RefinedResponse<'text'>;

/** What was asked for, and the statuses that are right for it: any other one is a failed request to k6. */
interface Asked {
  path: string;
  body: object;
  key?: string;
  statuses: number[];
}

/** A number of the run, so that two of them never meet; made once, in `setup`. */
export function newRun(): { runId: string } {
  return { runId: Date.now().toString(36) };
}

export function buy(shopperId: string, key: string): Answer {
  const body = { productId, quantity: 1, userId: shopperId };
  return post({ path: '/api/purchase', body, key, statuses: [200, 409] });
}

export function checkOut(shopperId: string, key: string): Answer {
  const body = { productId, quantity: 1, userId: shopperId };
  return post({ path: '/api/checkout', body, key, statuses: [201, 409] });
}

export function redeem(shopperId: string, code: string, key: string): Answer {
  return post({ path: '/api/purchase', body: { code, userId: shopperId }, key, statuses: [200] });
}

/** What no server should take for a purchase. */
export function sendNonsense(shopperId: string): Answer {
  const body = { productId, quantity: -1, userId: shopperId };
  return post({ path: '/api/checkout', body, statuses: [400] });
}

function post({ path, body, key, statuses }: Asked): Answer {
  const answer = http.post(baseUrl + path, JSON.stringify(body), {
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${__ENV.API_KEY}`,
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    },
    responseType: 'text',
    responseCallback: http.expectedStatuses(...statuses),
    tags: { name: path },
  });
  check(answer, { 'answered as it should be': ({ status }) => statuses.includes(status) });
  return answer;
}
