import exec from 'k6/execution';
import type { Options, Scenario } from 'k6/options';
import { checkOut, newRun, redeem, sendNonsense } from './shop.ts';

// Visits per second, of all kinds together.
const visitsPerSecond = Number(__ENV.RATE ?? 6903);

/** Four kinds of visitors, each arriving at a constant rate. */
export const options: Options = {
  scenarios: {
    normal: arrivals('normal', 70),
    heavy: arrivals('heavy', 10),
    purchases: arrivals('purchases', 10),
    invalid: arrivals('invalid', 10),
  },
  thresholds: {
    // Figures published for another system at this rate.
    http_req_duration: ['p(95)<464', 'p(99)<1220'],
    'http_req_duration{scenario:normal}': ['p(95)<464'],
    'http_req_duration{scenario:heavy}': ['p(95)<464'],
    'http_req_duration{scenario:purchases}': ['p(95)<464'],
    'http_req_duration{scenario:invalid}': ['p(95)<464'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
  },
};

const heavyShoppers = 100;

export const setup = newRun;

type Run = ReturnType<typeof setup>;

/** Checks out once. */
export function normal({ runId }: Run): void {
  const shopper = `k6-${runId}-normal-${exec.scenario.iterationInTest}`;
  checkOut(shopper, shopper);
}

/** Checks out again and again, beyond the limit. */
export function heavy({ runId }: Run): void {
  const visit = exec.scenario.iterationInTest;
  checkOut(`k6-${runId}-heavy-${visit % heavyShoppers}`, `k6-${runId}-heavy-visit-${visit}`);
}

/** Checks out, then buys the held units with the code. */
export function purchases({ runId }: Run): void {
  const shopper = `k6-${runId}-purchases-${exec.scenario.iterationInTest}`;
  const held = checkOut(shopper, shopper);
  const code = held.status === 201 ? held.json('code') : null;
  if (typeof code === 'string') redeem(shopper, code, `${shopper}-redeem`);
}

/** Sends requests that are not purchases. */
export function invalid({ runId }: Run): void {
  sendNonsense(`k6-${runId}-invalid`);
}

function arrivals(kind: string, percent: number): Scenario {
  return {
    executor: 'constant-arrival-rate',
    exec: kind,
    // k6 takes whole numbers only. A hundredth of the rate may be a fraction, so the rate counts per hundred seconds.
    rate: visitsPerSecond * percent,
    timeUnit: '100s',
    duration: '30s',
    preAllocatedVUs: 5 * percent,
    maxVUs: 20 * percent,
  };
}
