import { randomBytes } from 'node:crypto';
import { createShop, type Shop } from './contract/shop.js';
import type { Options } from './options.js';
import { createPhaseBook, type PhaseBook } from './overload/curve.js';
import { type PreparedSale, prepareSale } from './sale.js';
import { type Plan, QUANTITY } from './scenarios/scenario.js';
import { crowd } from './traffic/crowd.js';
import { type IdTrafficOptions, idTraffic } from './traffic/ids.js';
import { mixedRoads } from './traffic/mixed.js';
import { oneRoad } from './traffic/one-road.js';
import type { OrderTraffic, Traffic } from './traffic/traffic.js';
import type { TrafficOptions } from './traffic/traffic-options.js';
import { AcknowledgedOrders } from './verdict/acknowledged.js';
import { type Journal, openJournal } from './verdict/journal.js';

/** The state of one run. */
export interface Run {
  readonly options: Options;
  readonly plan: Plan;
  readonly shop: Shop;
  readonly sale: PreparedSale | null;
  readonly traffic: Traffic;
  /** The same traffic if it consists of requests to buy. */
  readonly orderTraffic: OrderTraffic | null;
  readonly acknowledged: AcknowledgedOrders;
  readonly journal: Journal | null;
  /** In a climb: the outcomes of the requests of each step. */
  readonly phases: PhaseBook | null;
  /** Prefix of the names of this run's shoppers, and of no others. */
  readonly shopperPrefix: string;
}

/** The product id that requests to a bare handler carry. */
const BARE_PRODUCT_ID = 1;

const CLIMB_ORDERS = 1_000_000;

/** Creates the sale and everything needed to buy from it. @throws LoadFailure when the run cannot take place. */
export async function prepare(options: Options): Promise<Run> {
  const runId = randomBytes(5).toString('hex');
  const plan = options.scenario.plan(options.settings);
  const shop = createShop({
    origin: options.target.origin,
    operatorToken: options.operatorToken,
    patienceMs: options.reconnectLimitMs,
  });
  // Opened before the sale is created, so that a file that cannot be written leaves nothing behind.
  const journal = options.journalFile === null ? null : openJournal(options.journalFile);
  const sale = plan.sale === null ? null : await prepareSale(shop, options.productId, plan.sale, runId);
  const productId = sale?.productId ?? options.productId ?? BARE_PRODUCT_ID;
  const acknowledged = new AcknowledgedOrders(expectedOrders(plan));
  const isOpenLoop = plan.pace.kind !== 'closed';
  const phases = plan.pace.kind === 'climb' ? createPhaseBook() : null;
  const orderTraffic = createOrderTraffic(plan, {
    request: { ...options, runId, productId, quantity: QUANTITY, shopperOf: plan.shopperOf },
    path: options.path,
    isBare: sale === null,
    isOpenLoop,
    onCounted: phases === null ? undefined : (_ordinal, ...ended) => phases.count(...ended),
    acknowledged,
    journal,
  });
  const traffic = orderTraffic ?? createIdTraffic(plan, { ...options, isOpenLoop });
  return {
    options,
    plan,
    shop,
    sale,
    traffic,
    orderTraffic,
    acknowledged,
    journal,
    phases,
    shopperPrefix: `load-${runId}-`,
  };
}

function createIdTraffic({ roads }: Plan, options: IdTrafficOptions): Traffic {
  if (typeof roads === 'string' || !('batchSize' in roads)) throw new Error('The plan requests no ids.');
  return idTraffic(roads, options);
}

function createOrderTraffic({ roads, sale }: Plan, options: TrafficOptions): OrderTraffic | null {
  if (typeof roads === 'string') return oneRoad(roads, options);
  if ('batchSize' in roads) return null;
  if ('kinds' in roads) return crowd(roads, options);
  return mixedRoads(roads, (sale?.holdTtlSeconds ?? 0) * 1000, options);
}

function expectedOrders({ sale, pace }: Plan): number {
  if (sale === null) return 0;
  const requestsMax = pace.kind === 'closed' ? pace.requestsMax : null;
  // The number of orders of a climb is unknown. This is one minute of it on two cores.
  if (pace.kind === 'climb') return CLIMB_ORDERS;
  return Math.min(sale.allocation, requestsMax ?? sale.allocation);
}
