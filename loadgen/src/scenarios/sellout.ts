import { onlyExpected, soldExactly } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

/** A million shoppers for ten thousand units: a drop from start to end, mostly refusals. */
export const sellout: Scenario = {
  name: 'sellout',
  summary: 'many unique shoppers, few units, as fast as the connections allow',
  defaults: { requests: 1_000_000, connections: 2_000, units: 10_000 },
  optional: [],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: { kind: 'closed', requestsMax: setting(settings, 'requests'), durationMs: null },
    sale: { allocation: setting(settings, 'units'), perUserLimit: 1 },
    roads: 'direct',
    settling: 'nothing',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [onlyExpected(facts, ['confirmed', 'sold-out']), ...soldExactly(facts)],
};
