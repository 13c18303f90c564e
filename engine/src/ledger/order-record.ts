import { z } from 'zod';

export const orderStatuses = [
  'QUEUED',
  'RESERVED',
  'CONFIRMED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'FAILED',
  'REFUNDED',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** The way an order was made: bought directly, reserved behind a code, or accepted into the queue. */
export const entrances = ['direct', 'checkout', 'queued'] as const;
export type Entrance = (typeof entrances)[number];

/**
 * An order. Money is in minor units; times are the database's. `expiresAt` is the deadline of its hold, null if it never
 * had one; `reason` explains the status where it needs one; `prize` is null if the sale has none.
 */
export type OrderRecord = {
  saleId: number;
  quantity: number;
  totalMinor: number;
  /** Its sale's. */
  currency: string;
  entrance: Entrance;
  status: OrderStatus;
  reason: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  prize: boolean | null;
};

/** As order_json() in order-view.sql writes it. */
export const orderRecordSchema: z.ZodType<OrderRecord> = z.object({
  saleId: z.number(),
  quantity: z.number(),
  totalMinor: z.number(),
  currency: z.string(),
  entrance: z.enum(entrances),
  status: z.enum(orderStatuses),
  reason: z.string().nullable(),
  createdAt: z.coerce.date(),
  expiresAt: z.coerce.date().nullable(),
  prize: z.boolean().nullable(),
});

/** Orders by their ids; null where the ledger has none to return. */
export const ordersByIdSchema = z.record(z.string(), orderRecordSchema).nullable();
