import { createHmac } from 'node:crypto';
import { createChallenge, extractParams, verifySolution } from 'altcha-lib/v1';
import type { Challenge } from 'altcha-lib/v1/types';
import { z } from 'zod';
import type { DatabaseClock } from '../../platform/database-clock.js';

/** A solved challenge, and when it ends by the database's clock. */
export type Solved = { challenge: string; expiresAt: Date };

/**
 * Proof of work, bound to a sale and a shopper. Stateless: spend-challenge.ts knows whether a challenge was used
 * before.
 */
export type Challenges = {
  /** @param numbersMax how many numbers a solver tries at most; half of them on average. */
  issue(saleId: number, shopperId: string, numbersMax: number): Promise<Challenge & { maxnumber: number }>;
  /** @param solution base64 of the JSON that a solver makes from a challenge. */
  verify(saleId: number, shopperId: string, solution: string): Promise<Solved | undefined>;
};

// Long enough to fetch it before a sale opens, and to solve it on a slow phone.
const lifetimeMs = 10 * 60_000;

// If the number could be a string, it could absorb parameters from the salt without changing the hash.
const solutionSchema = z.object({
  algorithm: z.literal('SHA-256'),
  challenge: z.string().regex(/^[0-9a-f]{64}$/),
  number: z.int().min(0),
  salt: z.string().max(300),
  signature: z.string().regex(/^[0-9a-f]{64}$/),
});

/** @param secretKey shared by all processes, so that each can verify the challenges of the others. */
export function createChallenges(secretKey: string, clock: DatabaseClock): Challenges {
  const hmacKey = createHmac('sha256', secretKey).update('challenges').digest('hex');
  // A digest, because the shopper id may be of any length and must stay private.
  const ownerOf = (saleId: number, shopperId: string) =>
    createHmac('sha256', hmacKey).update(`${saleId}:${shopperId}`).digest('hex').slice(0, 32);

  return {
    async issue(saleId, shopperId, maxnumber) {
      const made = await createChallenge({
        algorithm: 'SHA-256',
        hmacKey,
        maxnumber,
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
      // The library's own check of the time would use this process's clock.
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
