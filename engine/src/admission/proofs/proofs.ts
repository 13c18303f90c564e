import type { Sale } from '../../catalog/sales.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { Queryable } from '../../platform/postgres.js';
import { type Challenges, createChallenges } from './challenges.js';
import { createPurchaseTokens, type PurchaseTokens } from './purchase-tokens.js';
import { createSpendChallenge } from './spend-challenge.js';

/** The proofs that a purchase presents, unverified. */
type Shown = {
  shopperId: string;
  /** Identifies the intent: a retry may present the same challenge again. */
  orderId: string;
  challenge: string | undefined;
  token: string | undefined;
};

export type ProofRefusal = 'token-required' | 'challenge-required' | 'challenge-failed';

export type Proofs = Pick<Challenges, 'issue'> &
  Pick<PurchaseTokens, 'tokenOf'> & {
    /**
     * Returns undefined if the sale requires nothing or the proofs are right. Spends the challenge.
     *
     * @throws OperatingError OVERLOADED, or the database's error.
     */
    refusalOf(sale: Sale, shown: Shown): Promise<ProofRefusal | undefined>;
  };

/** Whether the sale requires a proof; needs no promise, for the hot path. */
export function asksForProof({ challenge, requiresToken }: Sale): boolean {
  return challenge !== null || requiresToken;
}

export function createProofs(db: Queryable, clock: DatabaseClock, secretKey: string): Proofs {
  const { issue, verify } = createChallenges(secretKey, clock);
  const { tokenOf, isTokenOf } = createPurchaseTokens(secretKey);
  const spend = createSpendChallenge(db);

  return {
    issue,
    tokenOf,
    async refusalOf({ saleId, challenge, requiresToken }, shown) {
      const { shopperId, orderId } = shown;
      if (requiresToken && !isTokenOf(saleId, shopperId, shown.token ?? '')) return 'token-required';
      if (challenge === null) return undefined;
      if (shown.challenge === undefined) return 'challenge-required';
      const solved = await verify(saleId, shopperId, shown.challenge);
      if (!solved) return 'challenge-failed';
      return (await spend({ ...solved, saleId, orderId })) ? undefined : 'challenge-failed';
    },
  };
}
