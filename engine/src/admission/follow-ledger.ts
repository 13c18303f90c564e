import { z } from 'zod';
import type { Calendar } from '../catalog/calendar.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import { createListener, type Listener, type ListenerOptions } from '../platform/listener.js';
import type { StockViews } from './stock-views.js';

export type FollowLedgerParts = {
  connection: ListenerOptions['connection'];
  clock: DatabaseClock;
  calendar: Calendar;
  /** Asked for late: the views themselves ask the follower whether it is live. */
  views: () => StockViews;
  onError: (error: unknown) => void;
};

/** Keeps what this process remembers in step with the ledger: stock, sales, and the database's time. */
export function followLedger({ connection, clock, calendar, views, onError }: FollowLedgerParts): Listener {
  return createListener({
    connection,
    channels: ['doorbuster_stock', 'doorbuster_catalog'],
    onNotification(channel, payload) {
      if (channel === 'doorbuster_stock') views().apply(stockSchema.parse(payload));
      else void calendar.refresh(catalogSchema.parse(payload).productId);
    },
    async onConnect(db) {
      await clock.calibrate(db);
      calendar.clear();
      await views().refresh(db);
    },
    async onHeartbeat(db) {
      await clock.calibrate(db);
      await views().refresh(db);
    },
    onError,
  });
}

const stockSchema = z.object({
  saleId: z.number(),
  allocation: z.number(),
  available: z.number(),
  reserved: z.number(),
  sold: z.number(),
  version: z.number(),
});
const catalogSchema = z.object({ productId: z.number() });
