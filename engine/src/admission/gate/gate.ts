import type { Sale } from '../../catalog/sales.js';
import type { Stock } from '../../ledger/stock.js';

export type GateRefusal = 'sale-not-open' | 'limit-reached' | 'sold-out';

/**
 * Says what the ledger would refuse, so that a purchase that cannot succeed never reaches PostgreSQL. It only checks:
 * it takes nothing and decides nothing. It may let too many through, and does so when in doubt; the ledger has the last
 * word. A gate that lets too few through recovers within 10 s.
 */
export type Gate = {
  /**
   * Answers at once if it can. A promise never rejects, and settles within REDIS_TIMEOUT.
   *
   * @param mayBeRetry the request has a key, and its first try may still be on its way to COMMIT. It is then refused
   *   only for reasons that will stay true.
   * @returns undefined if the ledger has to decide.
   */
  check(
    sale: Sale,
    shopperId: string,
    quantity: number,
    mayBeRetry: boolean,
  ): GateRefusal | undefined | Promise<GateRefusal | undefined>;
  /**
   * Called when the ledger has refused this shopper because of the limit: the shopper is likely to try again. Never
   * throws.
   */
  limitReached(saleId: number, shopperId: string): void;
  /** How many of these sales the gate sees differently from the ledger, once notifications under way have arrived. */
  countDisagreements(stocks: readonly Stock[]): Promise<number>;
};
