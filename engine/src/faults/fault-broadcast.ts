import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../platform/postgres.js';
import { type Fault, type FaultPlace, type Faults, faultPlaceSchema, faultSchema } from './faults.js';

/** A listener of any role that hands what it hears on this channel to `hear` has the faults of all processes. */
export const faultsChannel = 'doorbuster_faults';

export type FaultBroadcast = {
  /** Sets a fault in every process that listens. @returns false if it was not set: too many, or not enabled. */
  set(fault: Fault): Promise<boolean>;
  clear(place?: FaultPlace): Promise<void>;
  /** Takes in what another process has said; our own words come back as well, and are passed over. */
  hear(payload: unknown): void;
};

/** Carries faults from the process that was asked to all the others, as a notification of PostgreSQL. */
export function createFaultBroadcast(db: Queryable, faults: Faults): FaultBroadcast {
  const sender = randomUUID();

  async function say(message: Omit<z.output<typeof messageSchema>, 'sender'>): Promise<void> {
    await db.query('select pg_notify($1, $2)', [faultsChannel, JSON.stringify({ ...message, sender })]);
  }

  return {
    // The others first: if they can not be told, nothing is set anywhere.
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
