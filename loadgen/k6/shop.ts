import { check } from 'k6';
import http, { type RefinedResponse } from 'k6/http';

const baseUrl = __ENV.BASE_URL ?? 'http://127.0.0.1:3000';
const productId = Number(__ENV.PRODUCT_ID);
if (!(productId > 0) || !__ENV.API_KEY) {
  throw new Error('Set -e API_KEY=... and -e PRODUCT_ID=... (the warm-up prints the product id).');
}

type Answer = RefinedResponse<'text'>;

/** A request with the statuses that are right for it. k6 counts any other status as a failed request. */
interface Asked {
  path: string;
  body: object;
  key?: string;
  statuses: number[];
}

/** A random name for the run, so that two runs never share shoppers. Made once, in `setup`. */
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

/** A body that no server should accept as a purchase. */
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
