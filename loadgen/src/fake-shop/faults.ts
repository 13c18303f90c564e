/**
 * How the fake shop breaks the contract: a verdict that cannot fail proves nothing. Each number n means "at every nth
 * request to buy".
 */
export interface Faults {
  /** Acknowledges an order and forgets it. */
  loseEvery?: number;
  /** Sells on when nothing is left, and does not count it. */
  oversell?: boolean;
  /** Refuses while this many units are left. */
  keepBack?: number;
  /** Acknowledges the order of the shopper before. */
  repeatEvery?: number;
  /** Keeps an order and tells the shopper that it is sold out. */
  ghostEvery?: number;
  /** Sells to a shopper beyond the limit. */
  ignoreLimit?: boolean;
  /** Takes what is no request for one. */
  acceptInvalid?: boolean;
  /** Makes a second order for the same shopper. */
  twinEvery?: number;
  /** Lists the order under another shopper. */
  misplaceEvery?: number;
  /** Lists the order as cancelled. */
  cancelEvery?: number;
  /** Never decides the queued order. */
  stickEvery?: number;
  /** Rejects the queued order though there are units, for a reason that cannot be. */
  rejectEvery?: number;
  /** Never ends a hold. */
  neverExpires?: boolean;
  /** Confirms a hold that has lapsed. */
  confirmsLapsed?: boolean;
  /** Does not know the code of a checkout. */
  forgetCodeEvery?: number;
  /** Says that a code has bought the order of another. */
  swapCodeEvery?: number;
  /** Answers that a code has bought, and lets the hold lapse. */
  ignoreCodeEvery?: number;
  /** Gives an id that was given before. */
  repeatIdEvery?: number;
  /** Leaves an id out. */
  skipIdEvery?: number;
  /** Keeps ids back, and gives them to a later request. */
  delayIdEvery?: number;
  /** Gives the ids of a batch in another order. */
  tearBatchEvery?: number;
  errorEvery?: number;
  overloadedEvery?: number;
  hangEvery?: number;
  /** Cuts the connection before anything is decided. */
  cutEvery?: number;
  /** Decides, then cuts the connection instead of answering. */
  cutAfterEvery?: number;
  /** Grants without an order. */
  emptyEvery?: number;
  /** Each answer closes its connection. */
  closeConnections?: boolean;
  /** Once, holds all answers for so long. */
  stallOnceMs?: number;
  auditFails?: boolean;
  /** Sold counts one more than there are orders. */
  miscount?: boolean;
}
