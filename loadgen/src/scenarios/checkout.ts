import { onlyExpected, soldExactly } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

// Longer than any run including verification. A hold that lapsed earlier would return units after others were refused.
const HOLD_S = 3_600;

/** The sellout by checkout: units are held behind codes, and no shopper redeems a code. */
export const checkout: Scenario = {
  name: 'checkout',
  summary: 'sellout by POST /api/checkout: units are held, and no code is redeemed',
  defaults: { requests: 100_000, connections: 500, units: 10_000 },
  optional: [],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: { kind: 'closed', requestsMax: setting(settings, 'requests'), durationMs: null },
    sale: { allocation: setting(settings, 'units'), perUserLimit: 1, holdTtlSeconds: HOLD_S },
    roads: 'checkout',
    settling: 'nothing',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [onlyExpected(facts, ['reserved', 'sold-out']), ...soldExactly(facts, 'reserved')],
};
