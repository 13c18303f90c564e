import { z } from 'zod';
import type { Calendar } from '../catalog/calendar.js';
import { faultsChannel } from '../faults/fault-broadcast.js';
import { stockChannel } from '../ledger/announce.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import { createListener, type Listener, type ListenerOptions } from '../platform/listener.js';
import type { StockViews } from './stock-views.js';

export type FollowLedgerParts = {
  connection: ListenerOptions['connection'];
  clock: DatabaseClock;
  calendar: Calendar;
  /** A function, because the views themselves ask the follower whether it is live. */
  views: () => StockViews;
  /** A hint that orders of the sale may have changed. */
  onOrders: (saleId: number) => void;
  /** Faults that operators have set through another process. */
  onFaults: (payload: unknown) => void;
  onError: (error: unknown) => void;
};

/** Keeps what this process remembers in step with the ledger: stock, sales, followed orders, the database's time. */
export function followLedger(parts: FollowLedgerParts): Listener {
  const { connection, clock, calendar, views, onError } = parts;
  return createListener({
    connection,
    channels: Object.keys(handlers),
    onNotification: (channel, payload) => handlers[channel]?.(parts, payload),
    async onConnect(db) {
      await clock.calibrate(db);
      calendar.expire();
      await views().refresh(db);
    },
    async onHeartbeat(db) {
      await clock.calibrate(db);
      await views().refresh(db);
    },
    onError,
  });
}

const handlers: Record<string, (parts: FollowLedgerParts, payload: unknown) => void> = {
  [stockChannel]({ views, onOrders }, payload) {
    const stock = stockSchema.parse(payload);
    views().apply(stock);
    // Every change to orders of a sale also gives its stock a new version.
    onOrders(stock.saleId);
  },
  [faultsChannel]: ({ onFaults }, payload) => onFaults(payload),
  doorbuster_catalog: ({ calendar }, payload) =>
    void calendar.refresh(catalogSchema.parse(payload).productId),
};

const stockSchema = z.object({
  saleId: z.number(),
  allocation: z.number(),
  available: z.number(),
  reserved: z.number(),
  sold: z.number(),
  version: z.number(),
});
const catalogSchema = z.object({ productId: z.number() });
