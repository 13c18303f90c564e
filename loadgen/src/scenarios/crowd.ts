import { crowdShopper } from '../traffic/kinds.js';
import { onlyExpectedOnRoads } from '../verdict/answers.js';
import { openPace, type Scenario, setting } from './scenario.js';

// Longer than any run with its verification: a hold that lapsed meanwhile would give back what others were refused.
const HOLD_S = 3_600;
const PER_USER_LIMIT = 10;

const KINDS = { normal: 70, heavy: 10, purchases: 10, invalid: 10 };

/** The four kinds of visitors of an hourly sale, at a constant rate of arrivals. */
export const crowd: Scenario = {
  name: 'crowd',
  summary: 'open loop: 70 % check out, 10 % do so over and over, 10 % check out and buy, 10 % send nonsense',
  // At this rate each of the heavy shoppers asks seven times a second, and has all that it may have in two.
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
