import type { OrderTraffic } from '../traffic/traffic.js';
import type { AcknowledgedOrders } from './acknowledged.js';

/** This client's knowledge, to be compared with the server's data. */
export interface Claim {
  readonly productId: number;
  readonly saleId: number;
  readonly traffic: OrderTraffic;
  readonly acknowledged: AcknowledgedOrders;
  readonly quantity: number;
  readonly unitsAtStart: number;
  /** Null for an existing sale, whose limit is unknown. */
  readonly perUserLimit: number | null;
  /** The run created the sale: no one else buys, and no other hold can return a unit after a refusal. */
  readonly saleIsOurs: boolean;
  /** The run waited until everything had ended, so no order may be open. */
  readonly mustHaveEnded: boolean;
  /** How long the server's audit may report a breach before it counts. */
  readonly auditPatienceMs: number;
  /** The number of a shopper of this run; null for any other shopper. */
  shopperNumber(shopperId: string): number | null;
}
