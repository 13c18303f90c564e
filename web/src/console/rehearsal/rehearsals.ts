import type { paths } from '@doorbuster/client';

export type Rehearsal =
  paths['/api/admin/rehearsals/{id}']['get']['responses'][200]['content']['application/json'];
export type Report = NonNullable<Rehearsal['report']>;

export const rehearsalsKey = ['rehearsals'] as const;

/** Requests by what a shopper was told. */
export type Told = { sold: number; refused: number; turnedAway: number; unanswered: number };

const refusals: readonly string[] = ['sold-out', 'limit-reached'];
const sold = 'confirmed';

/** @param outcomes as the load generator counts them, by slug. */
export function toldOf(outcomes: Report['outcomes']): Told {
  const sum = (matches: (outcome: Report['outcomes'][number]) => boolean) =>
    outcomes.reduce((total, outcome) => total + (matches(outcome) ? outcome.count : 0), 0);
  return {
    sold: sum(({ slug }) => slug === sold),
    refused: sum(({ slug }) => refusals.includes(slug)),
    turnedAway: sum(({ status, slug }) => status !== null && slug !== sold && !refusals.includes(slug)),
    unanswered: sum(({ status }) => status === null),
  };
}
