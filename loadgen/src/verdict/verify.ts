import type { Shop, Stock } from '../contract/shop.js';
import { counted, integer } from '../text.js';
import { type Check, check } from './check.js';
import type { Claim } from './claim.js';
import { type Damage, damageOf } from './damage.js';
import { settledStock } from './settle.js';
import { type EndCount, type Tally, tallyOrders } from './tally.js';

export interface Findings {
  readonly checks: readonly Check[];
  /** The final status of granted orders. */
  readonly ends: readonly EndCount[];
  /** Null if the server could not be asked. */
  readonly damage: Damage | null;
}

const EXAMPLES = 3;

/**
 * Compares the acknowledgements with the server's orders and counters.
 * @throws CallFailure or ContractBreach when the server cannot be asked.
 */
export async function verify(shop: Shop, claim: Claim): Promise<Findings> {
  const stock = await settledStock(shop, claim.productId, claim.traffic.unknown > 0);
  const tally = await tallyOrders(shop, claim);
  const checks = [
    ...judgeAcknowledged(claim, tally),
    ...judgeShoppers(claim, tally),
    ...judgeEnded(claim, tally, stock),
    ...judgeLedger(claim, tally, stock),
    ...judgeSoldOut(claim, tally, stock),
    ...(await judgeAudit(shop, claim.auditPatienceMs)),
  ];
  return { checks, ends: tally.ends, damage: damageOf(claim, tally, stock) };
}

function judgeAcknowledged(claim: Claim, tally: Tally): Check[] {
  const { acknowledged, traffic } = claim;
  const { unknown } = traffic;
  const twice = traffic.recorder.acknowledgedTwice;
  const lost = acknowledged.unseen(EXAMPLES);
  const examples = lost.count > 0 ? ` (such as ${lost.ordinals.map(traffic.shopperId).join(', ')})` : '';
  return [
    check(
      'no acknowledged order lost',
      lost.count === 0,
      `${integer(lost.count)} of ${integer(acknowledged.size)}${examples}`,
    ),
    check(
      'acknowledged orders match their answers',
      tally.altered === 0,
      tally.altered === 0
        ? 'status, shopper and quantity'
        : `${integer(tally.altered)} differ: ${tally.alteredExample}`,
    ),
    check('no order acknowledged twice', twice === 0, counted(twice, 'order')),
    check(
      'no unexplained orders',
      tally.unacknowledged <= unknown,
      `${integer(tally.unacknowledged)} unacknowledged, ${integer(unknown)} allowed by requests without a clear answer`,
    ),
  ];
}

function judgeShoppers({ perUserLimit }: Claim, { unitsOf }: Tally): Check[] {
  if (perUserLimit === null) return [];
  const { count, first } = unitsOf.above(perUserLimit);
  const example = count > 0 ? ` (such as number ${integer(first)})` : '';
  return [
    check(
      'no shopper above the limit',
      count === 0,
      `${counted(count, 'shopper')} with more than ${integer(perUserLimit)}${example}`,
    ),
  ];
}

function judgeEnded({ mustHaveEnded }: Claim, { open }: Tally, { reserved }: Stock): Check[] {
  if (!mustHaveEnded) return [];
  const detail = `${counted(open, 'order')} open, ${counted(reserved, 'unit')} reserved`;
  return [check('every order has ended', open === 0 && reserved === 0, detail)];
}

function judgeLedger(claim: Claim, tally: Tally, stock: Stock): Check[] {
  const { allocation, available, reserved, sold } = stock;
  const adds = sold === allocation - available - reserved && Math.min(available, reserved, sold) >= 0;
  const promised = claim.traffic.unitsPromised;
  return [
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
      tally.confirmedUnits + tally.reservedUnits <= allocation && promised <= claim.unitsAtStart,
      `${counted(tally.confirmedUnits + tally.reservedUnits, 'unit')} granted of ${integer(allocation)}; ${integer(promised)} acknowledged of ${integer(claim.unitsAtStart)}`,
    ),
  ];
}

/** Each refusal was right: any units left can only have been returned after the last refusal. */
function judgeSoldOut({ traffic, saleIsOurs }: Claim, { soldOut }: Tally, { available }: Stock): Check[] {
  const refusals = traffic.recorder.outcomes.countOf('sold-out') + soldOut;
  // In an existing sale, another shopper's hold may have returned units after the refusals.
  if (refusals === 0 || !saleIsOurs) return [];
  const late = traffic.unitsBackLate;
  const allowance = late > 0 ? `, ${integer(late)} may have come back after the last refusal` : '';
  return [
    check(
      'sold-out answers were true',
      available <= late,
      `${counted(available, 'unit')} left unsold${allowance}`,
    ),
  ];
}

const AUDIT_INTERVAL_MS = 500;

/** Some invariants hold only seconds after the answers, because attempts are written asynchronously. */
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
