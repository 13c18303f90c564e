import { onlyExpected, soldToEach } from '../verdict/answers.js';
import { openPace, type Scenario, setting } from './scenario.js';

/** A simulated sale: a fixed number of shoppers ask in turn at a fixed rate until the time is over. */
export const rehearsal: Scenario = {
  name: 'rehearsal',
  summary: 'open loop: shoppers ask in turn for one unit each; refusals by overload do not fail the verdict',
  defaults: { visitors: 10_000, units: 1_000, ratePerSecond: 1_000, durationS: 20, connections: 300 },
  optional: [],
  plan(settings) {
    const visitors = setting(settings, 'visitors');
    return {
      connections: setting(settings, 'connections'),
      pace: openPace(settings),
      sale: { allocation: setting(settings, 'units'), perUserLimit: 1 },
      roads: 'direct',
      settling: 'nothing',
      shopperOf: ordinal => ordinal % visitors,
    };
  },
  judge: (facts, settings) => [
    onlyExpected(facts, ['confirmed', 'sold-out', 'limit-reached', 'overloaded', 'rate-limited', 'overflow']),
    soldToEach(facts, setting(settings, 'visitors')),
  ],
};
