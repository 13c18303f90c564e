import { onlyExpected, soldExactly } from '../verdict/answers.js';
import { type Scenario, setting } from './scenario.js';

/** All shoppers buy at the same instant, each on an open connection, and there are too few units. */
export const race: Scenario = {
  name: 'race',
  summary: 'N shoppers buy M units at the same instant; measures the time to the last answer',
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
