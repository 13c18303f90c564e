import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { buy, newRun } from './shop.ts';

/** 300 virtual users for 35 s. Each buys again as soon as its request is answered. */
export const options: Options = {
  scenarios: { virtual_users: { executor: 'constant-vus', vus: 300, duration: '35s' } },
  thresholds: {
    // Figures published for another system: 2,795 requests per second, 95 % of them within 33.75 ms.
    http_reqs: ['rate>2795'],
    http_req_duration: ['p(95)<33.75'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
  },
};

// Larger than the number of virtual users, so that the earlier purchase has been answered.
const returnAfter = 1010;

export const setup = newRun;

export default function ({ runId }: ReturnType<typeof setup>): void {
  const visit = exec.scenario.iterationInTest;
  // Three of twenty purchases are for a shopper who has already bought.
  const returns = visit >= returnAfter && visit % 20 < 3;
  buy(`k6-${runId}-${returns ? visit - returnAfter : visit}`, `${runId}-${visit}`);
}
