import { countShoppers, returningShopper } from '../traffic/returning.js';
import { onlyExpected, within } from '../verdict/answers.js';
import { type Scenario, setting } from './scenario.js';
import { ORDERS_PER_SECOND_MAX } from './throughput.js';

// The share that was refused in the published run of 300 virtual users.
const RETURNING_PERCENT = 15;

/**
 * Virtual users as in load-testing tools: each buys again as soon as it is answered, or all together at a fixed rate.
 */
export const vus: Scenario = {
  name: 'vus',
  summary:
    'virtual users who buy again and again; 15 % of purchases are for a shopper who has already bought',
  defaults: { connections: 300, durationS: 35 },
  optional: ['ratePerSecond'],
  plan(settings) {
    const { ratePerSecond } = settings;
    const durationS = setting(settings, 'durationS');
    const durationMs = durationS * 1000;
    return {
      connections: setting(settings, 'connections'),
      pace:
        ratePerSecond === undefined
          ? { kind: 'closed', requestsMax: null, durationMs }
          : { kind: 'open', ratePerSecond, durationMs },
      sale: { allocation: Math.ceil(durationS * ORDERS_PER_SECOND_MAX), perUserLimit: 1 },
      roads: 'direct',
      settling: 'nothing',
      shopperOf: ordinal => returningShopper(RETURNING_PERCENT, ordinal),
    };
  },
  judge(facts) {
    const shoppers = countShoppers(RETURNING_PERCENT, facts.due);
    return [
      onlyExpected(facts, ['confirmed', 'limit-reached']),
      within(facts, 'confirmed', shoppers, 'confirmed'),
      within(facts, 'told the limit is reached', facts.due - shoppers, 'limit-reached'),
    ];
  },
};
