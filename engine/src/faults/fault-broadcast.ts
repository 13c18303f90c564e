import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../platform/postgres.js';
import { type Fault, type FaultPlace, type Faults, faultPlaceSchema, faultSchema } from './faults.js';

/** A process that passes notifications on this channel to `hear` gets the faults of all processes. */
export const faultsChannel = 'doorbuster_faults';

export type FaultBroadcast = {
  /** Sets a fault in every process that listens. @returns false if it was not set: too many, or not enabled. */
  set(fault: Fault): Promise<boolean>;
  clear(place?: FaultPlace): Promise<void>;
  /** Applies a message of another process; this process's own messages also come back and are ignored. */
  hear(payload: unknown): void;
};

/** Sends faults from the process that received the call to all others, as a PostgreSQL notification. */
export function createFaultBroadcast(db: Queryable, faults: Faults): FaultBroadcast {
  const sender = randomUUID();

  async function say(message: Omit<z.output<typeof messageSchema>, 'sender'>): Promise<void> {
    await db.query('select pg_notify($1, $2)', [faultsChannel, JSON.stringify({ ...message, sender })]);
  }

  return {
    // The other processes first: if they cannot be reached, no fault is set anywhere.
    async set(fault) {
      if (!faults.isEnabled || faults.isFull()) return false;
      await say({ set: fault });
      return faults.set(fault);
    },
    async clear(place) {
      await say({ clear: place ?? 'all' });
      faults.clear(place);
    },
    hear(payload) {
      const message = messageSchema.parse(payload);
      if (message.sender === sender) return;
      if (message.set) faults.set(message.set);
      if (message.clear) faults.clear(message.clear === 'all' ? undefined : message.clear);
    },
  };
}

const messageSchema = z.strictObject({
  sender: z.uuid(),
  set: faultSchema.optional(),
  clear: z.union([faultPlaceSchema, z.literal('all')]).optional(),
});
