import type { Counts } from '../platform/telemetry/counts.js';
import type { AllocateIds } from './allocate.js';

type Outcome = Awaited<ReturnType<AllocateIds>>['outcome'];

export const idOutcomes: readonly Outcome[] = ['allocated', 'overloaded', 'unavailable'];

export type IdFigures = {
  /** Ids handed out, by kind. */
  allocated: Counts;
  /** Requests, by outcome. */
  requests: Counts<Outcome>;
};

/** Counts the ids that are handed out, and the requests for some. */
export function observeIds(allocateIds: AllocateIds, { allocated, requests }: IdFigures): AllocateIds {
  return async (kind, count) => {
    const allocation = await allocateIds(kind, count);
    requests.add(allocation.outcome);
    if (allocation.outcome === 'allocated') allocated.add(kind, count);
    return allocation;
  };
}
