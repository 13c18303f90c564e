import { onlyExpected, soldExactly } from '../verdict/answers.js';
import { type Scenario, setting } from './scenario.js';

/** All shoppers press the button at the same instant, each on an open connection, and there is not enough for all. */
export const race: Scenario = {
  name: 'race',
  summary: 'N shoppers buy at the same instant, M units; how long until the last is answered',
  defaults: { shoppers: 100, units: 50, purchases: 1 },
  optional: [],
  plan(settings) {
    const shoppers = setting(settings, 'shoppers');
    const purchases = setting(settings, 'purchases');
    return {
      connections: shoppers,
      pace: { kind: 'closed', requestsMax: shoppers * purchases, durationMs: null },
      sale: { allocation: setting(settings, 'units'), perUserLimit: purchases },
      roads: 'direct',
      settling: 'nothing',
      shopperOf: ordinal => ordinal % shoppers,
    };
  },
  judge: facts => [onlyExpected(facts, ['confirmed', 'sold-out']), ...soldExactly(facts)],
};
