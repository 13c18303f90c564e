import type { FastifyRequest } from 'fastify';
import { createLockOut } from '../../operators/lock-out.js';
import type { Config } from '../../platform/config/config.js';
import type { Secrets } from '../../platform/secrets.js';
import { ProblemError } from '../answers/send-problem.js';
import { addressKeyOf } from '../limits/client-address.js';
import { bearerOf } from './credentials.js';
import { createSecretCheck } from './secret-check.js';

export type GuessingOptions = {
  config: Config;
  secrets: Secrets;
  /** Finds the shopper or the shop's server. @throws ProblemError for an invalid token */
  callerIfAny: (request: FastifyRequest) => unknown;
};

/**
 * Compares secrets, and answers 429 to a caller who guesses: by name and address at sign-in, by address with bearer
 * tokens. The right secret always passes, whatever others have guessed. This gives a guesser no extra tries: a text
 * with a wrong first half cannot be right, and only a bounded number with the right first half are compared in full
 * (docs/decisions/0037).
 */
export function createGuessing({ config, secrets, callerIfAny }: GuessingOptions) {
  const { OPERATOR_TRIES_MAX: triesMax, OPERATOR_LOCKOUT_SECONDS: lockSeconds } = config;
  const known = secrets.operators.map(({ secret }) => secret);
  const operatorAt = createSecretCheck(known);
  const halfAt = createSecretCheck(known.map(firstHalf));
  const guessers = createLockOut({ triesMax, lockSeconds });
  // Kept apart from the guessers, because enough of those could push out the oldest entries.
  const halves = createLockOut({ triesMax, lockSeconds });

  function checkLock(lockOut: typeof guessers, names: readonly string[]): void {
    const waitSeconds = lockOut.waitSeconds(names);
    if (waitSeconds > 0) throw new ProblemError('locked-out', undefined, waitSeconds);
  }

  /** @throws ProblemError locked-out for a text that begins like a secret whose second half was guessed too often */
  function compare(text: string) {
    const half = halfAt(firstHalf(text));
    const halfNames = half < 0 ? [] : [String(half)];
    checkLock(halves, halfNames);
    return { operator: secrets.operators[operatorAt(text)], halfNames };
  }

  /** Counts a wrong secret. @throws ProblemError locked-out if there were too many before it */
  function failed(names: readonly string[], halfNames: readonly string[]): void {
    halves.failed(halfNames);
    checkLock(guessers, names);
    guessers.failed(names);
  }

  return {
    /** @throws ProblemError not-authenticated or locked-out */
    checkSecret(request: FastifyRequest, name: string, secret: string): void {
      const { operator, halfNames } = compare(secret);
      if (operator?.name === name) return;
      failed([`user ${name}`, addressOf(request)], halfNames);
      throw new ProblemError('not-authenticated', 'There is no such operator, or the secret is wrong.');
    },

    /** @returns the name of the operator whose secret is presented. @throws ProblemError as above, or forbidden */
    operatorOfBearer(request: FastifyRequest): string {
      const bearer = bearerOf(request);
      const { operator, halfNames } = bearer === undefined ? noSecret : compare(bearer);
      if (operator) return operator.name;
      try {
        if (callerIfAny(request) !== undefined) throw new ProblemError('forbidden');
      } catch (error) {
        const isGuess = error instanceof ProblemError && error.slug === 'not-authenticated';
        if (isGuess && bearer !== undefined) failed([addressOf(request)], halfNames);
        throw error;
      }
      throw new ProblemError('not-authenticated');
    },
  };
}

const noSecret = { operator: undefined, halfNames: [] };

function addressOf(request: FastifyRequest): string {
  return `address ${addressKeyOf(request)}`;
}

function firstHalf(secret: string): string {
  return secret.slice(0, secret.length / 2);
}
