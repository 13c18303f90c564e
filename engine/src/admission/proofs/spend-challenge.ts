import { coalesce } from '../../platform/batching/coalesce.js';
import type { Queryable } from '../../platform/postgres.js';
import type { Solved } from './challenges.js';

type Spending = Solved & { saleId: number; orderId: string };

/**
 * Spends a solved challenge, in whichever process it is presented.
 *
 * @returns whether it belongs to this intent: true for a retry with the same Idempotency-Key, false for another
 * purchase.
 * @throws OperatingError OVERLOADED, or the database's error.
 */
export type SpendChallenge = (spending: Spending) => Promise<boolean>;

// As for replays: 500 take about a millisecond, so a full queue waits for less than a tenth of a second.
const loads = { keysMax: 500, waitersMax: 20_000, deadlineMs: 2000 };

// Rows are kept a little longer than a challenge lasts, because the clocks of two processes differ by up to a round
// trip.
const graceSeconds = 60;
// Each statement deletes more rows than it adds, so that the table is bounded by the challenges that are still valid.
const clearedPerSpending = 4;
// A delete of some ten milliseconds.
const prunedAtOnceMax = 1000;

/** Off the hot path: only a purchase in a sale with a challenge comes here, before its batch. */
export function createSpendChallenge(db: Queryable): SpendChallenge {
  return coalesce<Spending, boolean>(async spendings => {
    await insert(db, spendings);
    const owners = await readOwners(db, spendings);
    return spendings.map(
      ({ saleId, challenge, orderId }) => owners.get(nameOf(saleId, challenge)) === orderId,
    );
  }, loads);
}

const nameOf = (saleId: number, challenge: string) => `${saleId}:${challenge}`;

// Always in key order, so that two processes that are shown the same challenges cannot deadlock.
// Indexes: spent_challenges_pkey, spent_challenges_by_age.
async function insert(db: Queryable, spendings: readonly Spending[]): Promise<void> {
  await db.query({
    name: 'spend-challenges',
    text: `
      with aged as (
        select sale_id, challenge from spent_challenges
        where expires_at < clock_timestamp() - make_interval(secs => $5) order by expires_at limit $6
        for update skip locked
      ), cleared as (
        delete from spent_challenges spent using aged
        where spent.sale_id = aged.sale_id and spent.challenge = aged.challenge
      )
      insert into spent_challenges (sale_id, challenge, order_id, expires_at)
      select * from unnest($1::bigint[], $2::text[], $3::uuid[], $4::timestamptz[])
        as r (sale_id, challenge, order_id, expires_at)
      order by sale_id, challenge
      on conflict do nothing`,
    values: [
      spendings.map(({ saleId }) => saleId),
      spendings.map(({ challenge }) => challenge),
      spendings.map(({ orderId }) => orderId),
      spendings.map(({ expiresAt }) => expiresAt),
      graceSeconds,
      clearedPerSpending * spendings.length,
    ],
  });
}

// Index: spent_challenges_by_age.
/** Deletes challenges that are too old to be presented again, for sales that no longer get any. @returns how many. */
export async function pruneSpentChallenges(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `delete from spent_challenges where (sale_id, challenge) in (
       select sale_id, challenge from spent_challenges
       where expires_at < clock_timestamp() - make_interval(secs => $1) order by expires_at limit $2)`,
    [graceSeconds, prunedAtOnceMax],
  );
  return rowCount ?? 0;
}

// A separate statement, so that it sees what others have committed meanwhile. Index: spent_challenges_pkey.
async function readOwners(db: Queryable, spendings: readonly Spending[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ saleId: number; challenge: string; orderId: string }>({
    name: 'read-spent-challenges',
    text: `
      select spent.sale_id as "saleId", spent.challenge, spent.order_id as "orderId"
      from unnest($1::bigint[], $2::text[]) as r (sale_id, challenge)
      join spent_challenges spent on spent.sale_id = r.sale_id and spent.challenge = r.challenge`,
    values: [spendings.map(({ saleId }) => saleId), spendings.map(({ challenge }) => challenge)],
  });
  return new Map(rows.map(({ saleId, challenge, orderId }) => [nameOf(saleId, challenge), orderId]));
}
