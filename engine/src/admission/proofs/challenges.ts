import { createHmac } from 'node:crypto';
import { createChallenge, extractParams, verifySolution } from 'altcha-lib/v1';
import type { Challenge } from 'altcha-lib/v1/types';
import { z } from 'zod';
import type { DatabaseClock } from '../../platform/database-clock.js';

/** A challenge that was solved: what names it, and when it ends by the database's clock. */
export type Solved = { challenge: string; expiresAt: Date };

/** Proof of work, bound to a sale and a shopper. Stateless: whether one was used before is for spend-challenge.ts to say. */
export type Challenges = {
  /** @param numbersMax how many numbers have to be tried at most; half of them on average. */
  issue(saleId: number, shopperId: string, numbersMax: number): Promise<Challenge & { maxnumber: number }>;
  /** @param solution base64 of the JSON that the solver makes of a challenge. */
  verify(saleId: number, shopperId: string, solution: string): Promise<Solved | undefined>;
};

// To be fetched before a sale opens, and solved on a slow phone.
const lifetimeMs = 10 * 60_000;

// A number that is text could move parameters from the salt into it and be hashed all the same.
const solutionSchema = z.object({
  algorithm: z.literal('SHA-256'),
  challenge: z.string().regex(/^[0-9a-f]{64}$/),
  number: z.int().min(0),
  salt: z.string().max(300),
  signature: z.string().regex(/^[0-9a-f]{64}$/),
});

/** @param secretKey of all processes; a challenge of one is verified by any. */
export function createChallenges(secretKey: string, clock: DatabaseClock): Challenges {
  const hmacKey = createHmac('sha256', secretKey).update('challenges').digest('hex');
  // The name itself may be of any length and is nobody else's to read.
  const ownerOf = (saleId: number, shopperId: string) =>
    createHmac('sha256', hmacKey).update(`${saleId}:${shopperId}`).digest('hex').slice(0, 32);

  return {
    async issue(saleId, shopperId, maxnumber) {
      const made = await createChallenge({
        ...{ algorithm: 'SHA-256', hmacKey, maxnumber },
        expires: new Date(clock.nowMs() + lifetimeMs),
        params: { owner: ownerOf(saleId, shopperId) },
      });
      return { ...made, maxnumber };
    },
    async verify(saleId, shopperId, text) {
      const solution = readSolution(text);
      if (!solution) return undefined;
      const { owner, expires } = extractParams(solution);
      const expiresAt = new Date(Number(expires) * 1000);
      if (owner !== ownerOf(saleId, shopperId) || !(expiresAt.getTime() > clock.nowMs())) return undefined;
      // Its own look at the time would be at this process's.
      const isSolved = await verifySolution(solution, hmacKey, false);
      return isSolved ? { challenge: solution.challenge, expiresAt } : undefined;
    },
  };
}

function readSolution(text: string): z.infer<typeof solutionSchema> | undefined {
  try {
    return solutionSchema.safeParse(JSON.parse(Buffer.from(text, 'base64').toString())).data;
  } catch {
    return undefined;
  }
}
