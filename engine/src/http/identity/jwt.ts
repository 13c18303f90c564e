import { createPublicKey } from 'node:crypto';
import { type JWTVerifyGetKey, type JWTVerifyOptions, errors as joseErrors, jwtVerify } from 'jose';
import type { Config } from '../../platform/config/config.js';
import { OperatingError } from '../../platform/errors.js';
import { shopperIdSchema } from '../answers/schemas.js';
import { ProblemError } from '../answers/send-problem.js';
import { createKeySet } from './key-set.js';
import type { VerifiedToken } from './verified-tokens.js';

export type JwtOptions = {
  config: Config;
  nowMs: () => number;
  /** What was verified so far may have been signed with a key that counts no more. */
  onKeysChanged: () => void;
  onError: (error: unknown) => void;
};

export type Jwt = {
  /** @returns the shopper, or the refusal; never throws. */
  verify(token: string): Promise<VerifiedToken | ProblemError>;
  /** Costs a comparison; for every request. */
  keepFresh(): void;
};

// Clocks of two servers that are kept in time differ by less.
const clockToleranceSeconds = 5;
// Half of what all headers of a request may have; issuers that put a user's groups into it come to 4 kB.
const tokenCharactersMax = 8192;

/** Tokens of the shop's own issuer (RFC 7519), verified with its public key or with what its URL says. */
export function createJwt(options: JwtOptions): Jwt {
  const { config, nowMs } = options;
  const keys = createKeys(options);
  const rules: JWTVerifyOptions = {
    // What the header says is not asked: neither `none` nor a public key taken for a shared secret gets anywhere.
    algorithms: config.JWT_ALGORITHMS,
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ['sub', 'exp'],
    ...(config.JWT_ISSUER === undefined ? {} : { issuer: config.JWT_ISSUER }),
    ...(config.JWT_AUDIENCE === undefined ? {} : { audience: config.JWT_AUDIENCE }),
  };

  return {
    async verify(token) {
      if (token.length > tokenCharactersMax) return invalid;
      try {
        const { payload } = await jwtVerify(token, keys.keyOf, { ...rules, currentDate: new Date(nowMs()) });
        const { sub, exp = 0 } = payload;
        const shopper = shopperIdSchema.safeParse(sub);
        if (typeof sub !== 'string' || !shopper.success)
          return new ProblemError('not-authenticated', badSubject);
        return { shopperId: shopper.data, endsAtMs: exp * 1000 };
      } catch (error) {
        return refusalOf(error);
      }
    },
    keepFresh: keys.keepFresh,
  };
}

function createKeys({ config, onKeysChanged, onError }: JwtOptions) {
  const { JWT_JWKS_URL: url, JWT_PUBLIC_KEY: pem = '' } = config;
  if (url === undefined) {
    const key = createPublicKey(pem);
    const keyOf: JWTVerifyGetKey = async () => key;
    return { keyOf, keepFresh: () => {} };
  }
  return createKeySet({
    url,
    timeoutMs: config.JWT_JWKS_TIMEOUT,
    cooldownMs: config.JWT_JWKS_COOLDOWN_MS,
    ageMaxMs: config.JWT_JWKS_MAX_AGE_MS,
    onChange: onKeysChanged,
    onError,
  });
}

const badSubject =
  'The subject of the token names no shopper: expected 1 to 128 characters in NFKC form, none of them invisible.';
const invalid = new ProblemError('not-authenticated', 'The token is not valid.');
const over = new ProblemError('not-authenticated', 'The token has expired.');
const keysUnavailable = new ProblemError('unavailable', 'The keys for tokens could not be read yet.');

// Beside its own errors jose lets through what the runtime says of a key that does not fit: all of it is the token's, or
// the key's that it names, and none of it a defect of ours.
function refusalOf(error: unknown): ProblemError {
  if (error instanceof OperatingError) return keysUnavailable;
  return error instanceof joseErrors.JWTExpired ? over : invalid;
}
