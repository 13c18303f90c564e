import { closedPace, type Scenario, setting, uniqueShopper } from './scenario.js';

/** The requests of `throughput` to any handler: the ceiling of a bare server, measured by the same generator. */
export const raw: Scenario = {
  name: 'raw',
  summary: 'POST to --path without a sale and without a verdict, to measure a bare handler',
  defaults: { connections: 200, durationS: 10 },
  optional: ['requests'],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: closedPace(settings),
    sale: null,
    roads: 'direct',
    settling: 'nothing',
    shopperOf: uniqueShopper,
  }),
  judge: () => [],
};
