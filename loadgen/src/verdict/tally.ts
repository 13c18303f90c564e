import type { ListedOrder, Shop } from '../contract/shop.js';
import { integer } from '../text.js';
import type { Claim } from './claim.js';
import { createShopperUnits, type ShopperUnits } from './shopper-units.js';

/** The number of orders bought in one way that ended in this state. */
export interface EndCount {
  readonly road: string;
  readonly status: string;
  readonly reason: string | null;
  count: number;
}

/** The sums of the order list. */
export interface Tally {
  listed: number;
  confirmedUnits: number;
  reservedUnits: number;
  /** Orders that are queued or reserved. */
  open: number;
  /** Orders that were accepted and then rejected because no units were left. */
  soldOut: number;
  /** Acknowledged orders with another shopper, another quantity, or a status that their way to buy does not allow. */
  altered: number;
  alteredExample: string;
  /** Orders of this run that hold units and were never acknowledged. */
  unacknowledged: number;
  readonly ends: EndCount[];
  readonly unitsOf: ShopperUnits;
}

// 10,000 pages of 10,000 orders exceed any run. The limit also ends a run against a server that pages in circles.
const PAGES_MAX = 10_000;

export async function tallyOrders(shop: Shop, claim: Claim): Promise<Tally> {
  const tally: Tally = {
    listed: 0,
    confirmedUnits: 0,
    reservedUnits: 0,
    open: 0,
    soldOut: 0,
    altered: 0,
    alteredExample: '',
    unacknowledged: 0,
    ends: [],
    unitsOf: createShopperUnits(),
  };
  await eachOrder(shop, claim.saleId, order => count(tally, claim, order));
  return tally;
}

/** Counts the orders of a sale that are queued or reserved. */
export async function countOpen(shop: Shop, saleId: number): Promise<number> {
  let open = 0;
  await eachOrder(shop, saleId, order => {
    if (isOpen(order)) open += 1;
  });
  return open;
}

async function eachOrder(shop: Shop, saleId: number, visit: (order: ListedOrder) => void): Promise<void> {
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { orders, next } = await shop.orders(saleId, after);
    for (const order of orders) visit(order);
    if (next === null) return;
    after = next;
  }
  throw new Error(`The list of orders did not end after ${integer(PAGES_MAX)} pages.`);
}

function count(tally: Tally, claim: Claim, order: ListedOrder): void {
  tally.listed += 1;
  if (order.status === 'CONFIRMED') tally.confirmedUnits += order.quantity;
  if (order.status === 'RESERVED') tally.reservedUnits += order.quantity;
  if (isOpen(order)) tally.open += 1;
  if (order.status === 'REJECTED' && order.reason === 'sold-out') tally.soldOut += 1;
  const shopper = claim.shopperNumber(order.shopperId);
  if (shopper !== null && holdsUnits(order)) tally.unitsOf.add(shopper, order.quantity);
  const ordinal = claim.acknowledged.see(order.id);
  if (ordinal !== null) countAcknowledged(tally, claim, order, ordinal);
  else if ((holdsUnits(order) || isOpen(order)) && (claim.saleIsOurs || shopper !== null)) {
    tally.unacknowledged += 1;
  }
}

function countAcknowledged(tally: Tally, claim: Claim, order: ListedOrder, ordinal: number): void {
  const { traffic, quantity } = claim;
  countEnd(tally.ends, traffic.roadOf(ordinal), order);
  const asPromised =
    order.quantity === quantity &&
    order.shopperId === traffic.shopperId(ordinal) &&
    traffic.isLegalEnd(ordinal, order);
  if (asPromised) return;
  tally.altered += 1;
  const why = order.reason === null ? '' : ` (${order.reason})`;
  tally.alteredExample ||= `${order.id} is ${order.status}${why}, ${order.quantity} for ${order.shopperId}`;
}

function countEnd(ends: EndCount[], road: string, { status, reason }: ListedOrder): void {
  const known = ends.find(end => end.road === road && end.status === status && end.reason === reason);
  if (known === undefined) ends.push({ road, status, reason, count: 1 });
  else known.count += 1;
}

function holdsUnits({ status }: ListedOrder): boolean {
  return status === 'CONFIRMED' || status === 'RESERVED';
}

function isOpen({ status }: ListedOrder): boolean {
  return status === 'QUEUED' || status === 'RESERVED';
}
