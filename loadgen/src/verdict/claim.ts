import type { OrderTraffic } from '../traffic/traffic.js';
import type { AcknowledgedOrders } from './acknowledged.js';

/** What this client knows, to be held against what the server has. */
export interface Claim {
  readonly productId: number;
  readonly saleId: number;
  readonly traffic: OrderTraffic;
  readonly acknowledged: AcknowledgedOrders;
  readonly quantity: number;
  readonly unitsAtStart: number;
  /** Null where the sale is somebody else's, whose limit is not known. */
  readonly perUserLimit: number | null;
  /** The sale was made for this run: nobody else buys, and no hold of others may free a unit after a refusal. */
  readonly saleIsOurs: boolean;
  /** It was waited until everything had ended, so nothing may be open. */
  readonly mustHaveEnded: boolean;
  /** How long the server's own audit may go on to find a breach before it counts. */
  readonly auditPatienceMs: number;
  /** The number of a shopper of this run; null for anybody else. */
  shopperNumber(shopperId: string): number | null;
}
