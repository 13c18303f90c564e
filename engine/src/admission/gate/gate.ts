import type { Sale } from '../../catalog/sales.js';
import type { Stock } from '../../ledger/stock.js';

export type GateRefusal = 'sale-not-open' | 'limit-reached' | 'sold-out';

/**
 * Says what the ledger would refuse, so that a purchase that cannot succeed never reaches PostgreSQL. Check only: it takes
 * nothing and decides nothing. It may let too many through, and in doubt it does; the ledger has the last word. One that
 * lets too few through heals within 10 s.
 */
export type Gate = {
  /**
   * Answers at once where it can. A promise never rejects, and settles within REDIS_TIMEOUT.
   *
   * @param mayBeRetry the request has a key, and its first try may still be on its way to COMMIT: only what stays refused is
   *   refused then.
   * @returns undefined where the ledger shall decide.
   */
  check(
    sale: Sale,
    shopperId: string,
    quantity: number,
    mayBeRetry: boolean,
  ): GateRefusal | undefined | Promise<GateRefusal | undefined>;
  /** The ledger has refused this shopper for the limit, who may well come again. Never throws. */
  limitReached(saleId: number, shopperId: string): void;
  /** How many of these sales it sees otherwise than the ledger, once what is on its way has arrived. */
  countDisagreements(stocks: readonly Stock[]): Promise<number>;
};
