import { pruneSpentChallenges } from '../admission/proofs/spend-challenge.js';
import { pruneOperatorActions } from '../operators/actions.js';
import { pruneOperatorSessions } from '../operators/sessions.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Job } from '../platform/jobs/job.js';
import type { Parts } from './parts.js';

/**
 * Deletes what is kept only for a limited time. Operators' addresses must be deleted on time, even if no operator signs
 * in again.
 */
export function createPrune({ pool, config }: Pick<Parts, 'pool' | 'config'>): Job {
  const prunings = {
    'operator actions': () => pruneOperatorActions(pool, config.OPERATOR_ACTIONS_RETENTION_DAYS),
    'operator sessions': () => pruneOperatorSessions(pool),
    'spent challenges': () => pruneSpentChallenges(pool),
  };
  const all = Object.entries(prunings).map(([name, prune]) => ({ name, prune }));
  const run = eachItem({
    kind: 'pruning of',
    keyOf: ({ name }: (typeof all)[number]) => name,
    find: async except => all.filter(({ name }) => !except.includes(name)),
    roundMax: all.length,
    work: ({ prune }) => prune(),
  });
  return { name: 'prune', everyMs: 10_000, run };
}
