import type { Sale } from '../../catalog/sales.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { Queryable } from '../../platform/postgres.js';
import { type Challenges, createChallenges } from './challenges.js';
import { createPurchaseTokens, type PurchaseTokens } from './purchase-tokens.js';
import { createSpendChallenge } from './spend-challenge.js';

/** What a purchase shows of itself, as it came. */
type Shown = {
  shopperId: string;
  /** Stands for the intent: a retry shows the same challenge, and may. */
  orderId: string;
  challenge: string | undefined;
  token: string | undefined;
};

export type ProofRefusal = 'token-required' | 'challenge-required' | 'challenge-failed';

export type Proofs = Pick<Challenges, 'issue'> &
  Pick<PurchaseTokens, 'tokenOf'> & {
    /**
     * undefined where the sale asks for nothing or has got it. Uses the challenge up.
     *
     * @throws OperatingError OVERLOADED, or what the database says.
     */
    refusalOf(sale: Sale, shown: Shown): Promise<ProofRefusal | undefined>;
  };

/** Whether the sale asks for anything; no promise, for the hot path. */
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
