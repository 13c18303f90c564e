import type { ListedOrder, Shop, Stock } from '../contract/shop.js';
import { counted, integer } from '../text.js';
import type { AcknowledgedOrders } from './acknowledged.js';
import { type Check, check } from './check.js';
import { settledStock } from './settle.js';

/** What this client knows, to be held against what the server has. */
export interface Claim {
  readonly productId: number;
  readonly saleId: number;
  readonly acknowledged: AcknowledgedOrders;
  /** Order ids that were given to two requests. */
  readonly acknowledgedTwice: number;
  readonly quantity: number;
  /** Requests that may have taken effect though no success was answered. */
  readonly unknown: number;
  readonly soldOutAnswers: number;
  readonly unitsAtStart: number;
  /** The sale was made for this run: nobody else buys, and no hold of others may free a unit after a refusal. */
  readonly saleIsOurs: boolean;
  /** How long the server's own audit may go on to find a breach before it counts. */
  readonly auditPatienceMs: number;
  shopperId(ordinal: number): string;
  isOurShopper(shopperId: string): boolean;
}

/** What the order list adds up to. */
interface Tally {
  listed: number;
  confirmedUnits: number;
  reservedUnits: number;
  /** Acknowledged orders that are not confirmed, or are another's, or of another quantity. */
  altered: number;
  alteredExample: string;
  /** Orders that hold units, were made by this run, and were acknowledged to nobody. */
  unacknowledged: number;
}

// 10,000 pages of 10,000 orders are more than any run makes; a server that pages in circles ends there.
const PAGES_MAX = 10_000;
const EXAMPLES = 3;

/**
 * Holds the acknowledgements against the server's orders and counters.
 * @throws CallFailure or ContractBreach when the server cannot be asked.
 */
export async function verify(shop: Shop, claim: Claim): Promise<Check[]> {
  const stock = await settledStock(shop, claim.productId, claim.unknown > 0);
  const tally = await tallyOrders(shop, claim);
  return [
    ...judgeAcknowledged(claim, tally),
    ...judgeLedger(claim, tally, stock),
    ...(await judgeAudit(shop, claim.auditPatienceMs)),
  ];
}

function judgeAcknowledged(claim: Claim, tally: Tally): Check[] {
  const { acknowledged, acknowledgedTwice: twice, unknown } = claim;
  const lost = acknowledged.unseen(EXAMPLES);
  const examples = lost.count > 0 ? ` (such as ${lost.ordinals.map(claim.shopperId).join(', ')})` : '';
  return [
    check(
      'no acknowledged order lost',
      lost.count === 0,
      `${integer(lost.count)} of ${integer(acknowledged.size)}${examples}`,
    ),
    check(
      'acknowledged orders are as they were answered',
      tally.altered === 0,
      tally.altered === 0
        ? 'all confirmed, same shopper and quantity'
        : `${integer(tally.altered)} differ: ${tally.alteredExample}`,
    ),
    check('no order acknowledged twice', twice === 0, counted(twice, 'order')),
    check(
      'no order beyond what was answered',
      tally.unacknowledged <= unknown,
      `${integer(tally.unacknowledged)} unacknowledged, ${integer(unknown)} allowed by requests without a clear answer`,
    ),
  ];
}

function judgeLedger(claim: Claim, tally: Tally, stock: Stock): Check[] {
  const { allocation, available, reserved, sold } = stock;
  const adds = sold === allocation - available - reserved && Math.min(available, reserved, sold) >= 0;
  const units = claim.acknowledged.size * claim.quantity;
  const checks = [
    check(
      'stock adds up',
      adds,
      `${integer(allocation)} allocated = ${integer(available)} available + ${integer(reserved)} reserved + ${integer(sold)} sold`,
    ),
    check(
      'stock equals the orders',
      sold === tally.confirmedUnits && reserved === tally.reservedUnits,
      `${integer(sold)} sold and ${integer(reserved)} reserved; orders: ${integer(tally.confirmedUnits)} and ${integer(tally.reservedUnits)}`,
    ),
    check(
      'not oversold',
      tally.confirmedUnits + tally.reservedUnits <= allocation && units <= claim.unitsAtStart,
      `${counted(tally.confirmedUnits, 'unit')} sold of ${integer(allocation)}; ${integer(units)} acknowledged of ${integer(claim.unitsAtStart)}`,
    ),
  ];
  // On somebody else's sale a hold that ended may have returned units after the refusals.
  if (claim.soldOutAnswers > 0 && claim.saleIsOurs) {
    checks.push(check('sold out was true', available === 0, `${counted(available, 'unit')} left unsold`));
  }
  return checks;
}

async function tallyOrders(shop: Shop, claim: Claim): Promise<Tally> {
  const tally: Tally = {
    listed: 0,
    confirmedUnits: 0,
    reservedUnits: 0,
    altered: 0,
    alteredExample: '',
    unacknowledged: 0,
  };
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { orders, next } = await shop.orders(claim.saleId, after);
    for (const order of orders) count(tally, claim, order);
    if (next === null) return tally;
    after = next;
  }
  throw new Error(
    `The list of orders did not end after ${integer(PAGES_MAX)} pages, ${integer(tally.listed)} orders.`,
  );
}

function count(tally: Tally, claim: Claim, order: ListedOrder): void {
  tally.listed += 1;
  if (order.status === 'CONFIRMED') tally.confirmedUnits += order.quantity;
  if (order.status === 'RESERVED') tally.reservedUnits += order.quantity;
  const ordinal = claim.acknowledged.see(order.id);
  if (ordinal !== null) {
    const asAnswered =
      order.status === 'CONFIRMED' &&
      order.quantity === claim.quantity &&
      order.shopperId === claim.shopperId(ordinal);
    if (!asAnswered) {
      tally.altered += 1;
      tally.alteredExample ||= `${order.id} is ${order.status}, ${order.quantity} for ${order.shopperId}`;
    }
  } else if (holdsUnits(order) && (claim.saleIsOurs || claim.isOurShopper(order.shopperId))) {
    tally.unacknowledged += 1;
  }
}

function holdsUnits({ status }: ListedOrder): boolean {
  return status === 'CONFIRMED' || status === 'RESERVED' || status === 'QUEUED';
}

const AUDIT_INTERVAL_MS = 500;

/** Some invariants hold only seconds after the answers, because attempts are written behind them: hence the patience. */
async function judgeAudit(shop: Shop, patienceMs: number): Promise<Check[]> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const audit = await shop.audit();
    if (audit === null) return [];
    if (audit.ok || performance.now() > deadlineMs) {
      return [check("the server's own audit", audit.ok, audit.ok ? 'ok' : audit.violated.join(', '))];
    }
    await new Promise(resolve => setTimeout(resolve, AUDIT_INTERVAL_MS));
  }
}
