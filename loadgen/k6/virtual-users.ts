import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { buy, newRun } from './shop.ts';

/** 300 virtual users for 35 s, each of whom buys again as soon as it is answered. */
export const options: Options = {
  scenarios: { virtual_users: { executor: 'constant-vus', vus: 300, duration: '35s' } },
  thresholds: {
    // As published for another system: 2,795 requests a second, 95 % of them within 33.75 ms.
    http_reqs: ['rate>2795'],
    http_req_duration: ['p(95)<33.75'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
  },
};

// Further back than there are virtual users, so that the purchase that is followed has been answered.
const returnAfter = 1010;

export const setup = newRun;

export default function ({ runId }: ReturnType<typeof setup>): void {
  const visit = exec.scenario.iterationInTest;
  // Three of twenty come for somebody who has bought already.
  const returns = visit >= returnAfter && visit % 20 < 3;
  buy(`k6-${runId}-${returns ? visit - returnAfter : visit}`, `${runId}-${visit}`);
}
