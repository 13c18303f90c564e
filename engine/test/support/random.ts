import { createRandom as createFraction } from '../../drill/random.js';

export type Random = {
  /** A whole number from 0 to below `bound`. */
  below(bound: number): number;
  chance(share: number): boolean;
  /** @throws if there is nothing to pick. */
  pick<T>(from: readonly T[]): T;
};

/** The same numbers for the same seed, on every machine. */
export function createRandom(seed: number): Random {
  const next = createFraction(seed);
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    below,
    chance: share => next() < share,
    pick(from) {
      const picked = from[below(from.length)];
      if (picked === undefined) throw new Error('there is nothing to pick from');
      return picked;
    },
  };
}

/** Different numbers in each run, whose seed is printed: TEST_SEED=n repeats them. */
export function createPrintedRandom(what: string): Random {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
  console.info(`${what}: TEST_SEED=${seed}`);
  return createRandom(seed);
}
