import { allGranted, onlyExpected } from '../verdict/answers.js';
import { idsInOneRow } from '../verdict/ids.js';
import { closedPace, type Scenario, setting, uniqueShopper } from './scenario.js';

/** Sequential user ids, single and in batches: one sequence without gaps across all callers and processes. */
export const ids: Scenario = {
  name: 'ids',
  summary: 'user ids, single and in batches: none twice, none missing, in order',
  defaults: { connections: 200, durationS: 10, singlesPercent: 50, batchSize: 100 },
  optional: ['requests'],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: closedPace(settings),
    sale: null,
    roads: {
      singlesPercent: setting(settings, 'singlesPercent'),
      batchSize: setting(settings, 'batchSize'),
    },
    settling: 'nothing',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [
    onlyExpected(facts, ['allocated']),
    ...allGranted(facts, 'allocated'),
    ...idsInOneRow(facts),
  ],
};
