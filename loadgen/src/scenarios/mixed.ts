import { onlyExpectedOnRoads } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

/** All ways to buy at once from one stock. Holds lapse while other shoppers still want the units. */
export const mixed: Scenario = {
  name: 'mixed',
  summary: 'purchases, redeemed and abandoned checkouts, queued orders: one sale, too few units',
  defaults: {
    requests: 100_000,
    connections: 200,
    units: 20_000,
    shares: { direct: 60, checkout: 25, queued: 15 },
    abandonPercent: 20,
    holdS: 2,
  },
  optional: [],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: { kind: 'closed', requestsMax: setting(settings, 'requests'), durationMs: null },
    sale: {
      allocation: setting(settings, 'units'),
      perUserLimit: 1,
      holdTtlSeconds: setting(settings, 'holdS'),
    },
    roads: { shares: setting(settings, 'shares'), abandonPercent: setting(settings, 'abandonPercent') },
    settling: 'ends',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [
    onlyExpectedOnRoads(facts, {
      direct: ['confirmed', 'sold-out'],
      checkout: ['reserved', 'sold-out'],
      // A code may be presented too late if the server or the generator stalled for as long as a hold lasts.
      redeem: ['confirmed', 'code-expired'],
      queued: ['queued', 'sold-out'],
    }),
  ],
};
