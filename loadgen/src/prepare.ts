import { randomBytes } from 'node:crypto';
import { purchaseAnswerReader } from './contract/purchase-answer.js';
import { createShop, type Shop } from './contract/shop.js';
import { type RequestWriter, requestWriter } from './http/request.js';
import { createRecorder, type Reading, type Recorder } from './measure/recorder.js';
import type { Options } from './options.js';
import { type PreparedSale, prepareSale } from './sale.js';
import { type Plan, QUANTITY } from './scenarios/scenario.js';
import { AcknowledgedOrders } from './verdict/acknowledged.js';
import { type Journal, openJournal } from './verdict/journal.js';

/** Everything that one run holds. */
export interface Run {
  readonly options: Options;
  readonly plan: Plan;
  readonly shop: Shop;
  readonly sale: PreparedSale | null;
  readonly writer: RequestWriter;
  readonly acknowledged: AcknowledgedOrders;
  readonly recorder: Recorder;
  readonly journal: Journal | null;
  /** Starts the names of this run's shoppers, and of nobody else's. */
  readonly shopperPrefix: string;
}

/** What a request to a bare handler names as its product. */
const BARE_PRODUCT_ID = 1;

/** Makes the sale and what is needed to buy from it. @throws LoadFailure when the run cannot take place. */
export async function prepare(options: Options): Promise<Run> {
  const runId = randomBytes(5).toString('hex');
  const plan = options.scenario.plan(options.settings);
  const shop = createShop({
    origin: options.target.origin,
    operatorToken: options.operatorToken,
    patienceMs: options.reconnectLimitMs,
  });
  // Opened before the sale is made: a file that cannot be written should leave nothing behind.
  const journal = options.journalFile === null ? null : openJournal(options.journalFile);
  const sale = plan.sale === null ? null : await prepareSale(shop, options.productId, plan.sale, runId);
  const productId = sale?.productId ?? options.productId ?? BARE_PRODUCT_ID;
  const writer = requestWriter({
    ...options,
    runId,
    productId,
    quantity: QUANTITY,
    shopperOf: plan.shopperOf,
  });
  const acknowledged = new AcknowledgedOrders(expectedOrders(plan));
  const recorder = createRecorder({
    read: sale === null ? readBareAnswer : purchaseAnswerReader({ productId, quantity: QUANTITY }),
    acknowledged,
    isOpenLoop: plan.pace.kind === 'open',
    onAcknowledged: (orderId, ordinal) =>
      journal?.append({
        orderId,
        productId,
        shopperId: writer.shopperId(ordinal),
        quantity: QUANTITY,
        idempotencyKey: writer.idempotencyKey(ordinal),
      }),
  });
  return {
    options,
    plan,
    shop,
    sale,
    writer,
    acknowledged,
    recorder,
    journal,
    shopperPrefix: `load-${runId}-`,
  };
}

function expectedOrders({ sale, pace }: Plan): number {
  if (sale === null) return 0;
  const requestsMax = pace.kind === 'closed' ? pace.requestsMax : null;
  return Math.min(sale.allocation, requestsMax ?? sale.allocation);
}

/** A bare handler promises nothing about its body. */
function readBareAnswer(status: number): Reading {
  return { slug: status >= 200 && status < 300 ? 'ok' : 'refused', orderId: null };
}
