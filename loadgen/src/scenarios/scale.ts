import { allGranted, onlyExpected } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

/** A backlog of queued orders is taken in, and then the workers are timed that decide it. */
export const scale: Scenario = {
  name: 'scale',
  summary: 'queued orders, all accepted first; then how fast the workers, started by you, decide them',
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
