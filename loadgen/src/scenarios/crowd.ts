import { crowdShopper } from '../traffic/kinds.js';
import { onlyExpectedOnRoads } from '../verdict/answers.js';
import { openPace, type Scenario, setting } from './scenario.js';

// Longer than any run including verification. A hold that lapsed earlier would return units after others were refused.
const HOLD_S = 3_600;
const PER_USER_LIMIT = 10;

const KINDS = { normal: 70, heavy: 10, purchases: 10, invalid: 10 };

/** The four kinds of visitors of an hourly sale, arriving at a constant rate. */
export const crowd: Scenario = {
  name: 'crowd',
  summary:
    'open loop: 70 % check out, 10 % do so repeatedly, 10 % check out and buy, 10 % send invalid requests',
  // At this rate each heavy shopper sends seven requests per second and reaches the limit within two seconds.
  defaults: { ratePerSecond: 6_903, durationS: 30, connections: 500, units: 10_000, visitors: 100 },
  optional: [],
  plan(settings) {
    const crowd = { kinds: KINDS, heavyShoppers: setting(settings, 'visitors') };
    return {
      connections: setting(settings, 'connections'),
      pace: openPace(settings),
      sale: {
        allocation: setting(settings, 'units'),
        perUserLimit: PER_USER_LIMIT,
        holdTtlSeconds: HOLD_S,
      },
      roads: crowd,
      settling: 'nothing',
      shopperOf: ordinal => crowdShopper(crowd, ordinal),
    };
  },
  judge: facts => [
    onlyExpectedOnRoads(facts, {
      normal: ['reserved', 'sold-out'],
      heavy: ['reserved', 'limit-reached', 'sold-out'],
      purchases: ['reserved', 'sold-out'],
      redeem: ['confirmed'],
      invalid: ['invalid'],
    }),
  ],
};
