import type { FastifyRequest } from 'fastify';
import { createGuesses } from '../../operators/guesses.js';
import { createLockOut } from '../../operators/lock-out.js';
import type { Config } from '../../platform/config/config.js';
import type { Queryable } from '../../platform/postgres.js';
import type { Secrets } from '../../platform/secrets.js';
import { addressKeyOf } from '../client-address.js';
import { ProblemError } from '../problem.js';
import { bearerOf } from './credentials.js';
import { createSecretCheck } from './secret-check.js';

export type GuessingOptions = {
  config: Config;
  secrets: Secrets;
  db: Queryable;
  /** A shopper or the shop's server. @throws ProblemError for a token that is nobody's */
  callerIfAny: (request: FastifyRequest) => unknown;
};

/**
 * Compares secrets, and locks out whoever guesses: by name and address at sign-in, by address with bearer tokens. All
 * processes count together; between the reading of that count and the comparison nothing is waited for, so that however
 * many guesses come at once, each process compares no more than may be wrong.
 */
export function createGuessing({ config, secrets, db, callerIfAny }: GuessingOptions) {
  const { OPERATOR_TRIES_MAX: triesMax, OPERATOR_LOCKOUT_SECONDS: lockSeconds } = config;
  const operatorAt = createSecretCheck(secrets.operators.map(({ secret }) => secret));
  const lockOut = createLockOut({ triesMax, lockSeconds });
  const guesses = createGuesses(db, lockSeconds);

  // The right secret is refused as well while somebody is locked out: anything else would tell it from a wrong one.
  function checkLock(names: readonly string[]): void {
    const waitSeconds = lockOut.waitSeconds(names);
    if (waitSeconds > 0) throw new ProblemError('locked-out', undefined, waitSeconds);
  }

  // Whoever is locked out here is refused without a query.
  async function hearOthers(names: readonly string[]): Promise<void> {
    checkLock(names);
    if (triesMax > 0) lockOut.learn(await guesses.read(names));
  }

  async function failed(names: readonly string[]): Promise<void> {
    lockOut.failed(names);
    if (triesMax > 0) await guesses.add(names);
  }

  async function forget(name: string): Promise<void> {
    lockOut.forget(name);
    if (triesMax > 0) await guesses.forget(name);
  }

  // Others' guesses under an operator's name keep nobody out who comes from where that operator has signed in before: else
  // whoever goes on guessing would keep them out for ever.
  async function heldAgainst(request: FastifyRequest, name: string): Promise<string[]> {
    const names = [`address ${addressKeyOf(request)}`];
    checkLock(names);
    return (await guesses.hasSignedIn(name, request.ip)) ? names : [`user ${name}`, ...names];
  }

  return {
    /** @throws ProblemError not-authenticated or locked-out */
    async checkSecret(request: FastifyRequest, name: string, secret: string): Promise<void> {
      const names = await heldAgainst(request, name);
      await hearOthers(names);
      checkLock(names);
      if (secrets.operators[operatorAt(secret)]?.name === name) return forget(`user ${name}`);
      await failed(names);
      throw new ProblemError('not-authenticated', 'There is no such operator, or the secret is another.');
    },

    /** @returns the name of the operator whose secret is presented. @throws ProblemError as above, or forbidden */
    async operatorOfBearer(request: FastifyRequest): Promise<string> {
      const names = [`address ${addressKeyOf(request)}`];
      const bearer = bearerOf(request);
      if (bearer !== undefined) {
        await hearOthers(names);
        checkLock(names);
        const operator = secrets.operators[operatorAt(bearer)];
        if (operator) return operator.name;
      }
      await refuse(request, bearer === undefined ? [] : names);
      throw new ProblemError('not-authenticated');
    },
  };

  async function refuse(request: FastifyRequest, names: readonly string[]): Promise<void> {
    try {
      if (callerIfAny(request) !== undefined) throw new ProblemError('forbidden');
    } catch (error) {
      const isGuess = error instanceof ProblemError && error.slug === 'not-authenticated';
      if (isGuess && names.length > 0) await failed(names);
      throw error;
    }
  }
}
