/**
 * The ways in which the fake shop can break the contract. A verdict that cannot fail proves nothing. Each number n
 * means "on every nth request to buy".
 */
export interface Faults {
  /** Acknowledges an order and forgets it. */
  loseEvery?: number;
  /** Keeps selling after the last unit, without counting those sales. */
  oversell?: boolean;
  /** Answers sold out while this many units are left. */
  keepBack?: number;
  /** Acknowledges the previous shopper's order. */
  repeatEvery?: number;
  /** Keeps an order but tells the shopper that the sale is sold out. */
  ghostEvery?: number;
  /** Lets a shopper buy beyond the limit. */
  ignoreLimit?: boolean;
  /** Accepts invalid requests. */
  acceptInvalid?: boolean;
  /** Creates a second order for the same shopper. */
  twinEvery?: number;
  /** Lists the order under another shopper. */
  misplaceEvery?: number;
  /** Lists the order as cancelled. */
  cancelEvery?: number;
  /** Never decides the queued order. */
  stickEvery?: number;
  /** Rejects a queued order although units are left, for an impossible reason. */
  rejectEvery?: number;
  /** Never ends a hold. */
  neverExpires?: boolean;
  /** Confirms a hold that has lapsed. */
  confirmsLapsed?: boolean;
  /** Forgets the code of a checkout. */
  forgetCodeEvery?: number;
  /** Answers that a code bought another shopper's order. */
  swapCodeEvery?: number;
  /** Answers that a code bought its order, but lets the hold lapse. */
  ignoreCodeEvery?: number;
  /** Returns an id twice. */
  repeatIdEvery?: number;
  /** Skips an id. */
  skipIdEvery?: number;
  /** Withholds ids and returns them to a later request. */
  delayIdEvery?: number;
  /** Returns the ids of a batch out of order. */
  tearBatchEvery?: number;
  errorEvery?: number;
  overloadedEvery?: number;
  hangEvery?: number;
  /** Cuts the connection before deciding. */
  cutEvery?: number;
  /** Decides, then cuts the connection instead of answering. */
  cutAfterEvery?: number;
  /** Grants without an order. */
  emptyEvery?: number;
  /** Closes the connection after each answer. */
  closeConnections?: boolean;
  /** Delays all answers by this time, once. */
  stallOnceMs?: number;
  auditFails?: boolean;
  /** Reports one more unit sold than there are orders. */
  miscount?: boolean;
}
