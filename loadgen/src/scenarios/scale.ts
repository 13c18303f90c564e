import { allGranted, onlyExpected } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

/** The server accepts a backlog of queued orders; then the run times the workers that decide it. */
export const scale: Scenario = {
  name: 'scale',
  summary: 'accepts a backlog of queued orders, then times the workers (which you start) deciding it',
  defaults: { orders: 60_000, connections: 200 },
  optional: [],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: { kind: 'closed', requestsMax: setting(settings, 'orders'), durationMs: null },
    sale: { allocation: setting(settings, 'orders'), perUserLimit: 1 },
    roads: 'queued',
    settling: 'decisions',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [onlyExpected(facts, ['queued']), ...allGranted(facts, 'queued')],
};
