import type { RedisLink } from '../../platform/redis-link.js';
import { epochKey } from './redis-scripts.js';
import type { Turn } from './redis-turns.js';

/** The epoch under which Redis is read and written, as this process last read it. */
export type Epoch = {
  /** Undefined while Redis cannot be trusted. */
  current(): string | undefined;
  close(): Promise<void>;
};

// How soon a process notices a new or missing epoch.
const askEveryMs = 500;

/** Reads the epoch from Redis, and takes a turn at keeping Redis in step with the ledger whenever one is free. */
export function followEpoch(
  link: RedisLink,
  takeTurn: () => Promise<Turn | undefined>,
  onError: (error: unknown) => void,
): Epoch {
  let epoch: string | undefined;
  let asking: Promise<void> | undefined;
  let isFailing = false;

  const timer = setInterval(() => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
  }, askEveryMs).unref();

  async function ask(): Promise<void> {
    try {
      epoch = (await link.send(redis => redis.get(epochKey))) ?? undefined;
    } catch {
      epoch = undefined;
      return;
    }
    try {
      const turn = await takeTurn();
      if (turn) epoch = turn.epoch;
      isFailing = false;
    } catch (error) {
      // The epoch is trusted until it expires, which happens soon if no process takes turns.
      if (!isFailing) onError(error);
      isFailing = true;
    }
  }

  return {
    current: () => (link.isUp() ? epoch : undefined),
    async close() {
      clearInterval(timer);
      await asking;
    },
  };
}
