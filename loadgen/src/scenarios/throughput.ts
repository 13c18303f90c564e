import { allGranted, onlyExpected } from '../verdict/answers.js';
import { closedPace, type Scenario, setting, uniqueShopper } from './scenario.js';

// More orders per second than one generator can send, so that the sale outlasts any run.
export const ORDERS_PER_SECOND_MAX = 200_000;

/** How many orders per second the server accepts durably when there are units for all. */
export const throughput: Scenario = {
  name: 'throughput',
  summary: 'enough units for all: durable orders per second',
  defaults: { connections: 200, durationS: 10 },
  optional: ['requests', 'units'],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: closedPace(settings),
    sale: {
      allocation:
        settings.units ??
        settings.requests ??
        Math.ceil(setting(settings, 'durationS') * ORDERS_PER_SECOND_MAX),
      perUserLimit: 1,
    },
    roads: 'direct',
    settling: 'nothing',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [onlyExpected(facts, ['confirmed']), ...allGranted(facts, 'confirmed')],
};
