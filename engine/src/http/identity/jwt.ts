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
  /** Tokens verified so far may have been signed with a key that is no longer valid. */
  onKeysChanged: () => void;
  onError: (error: unknown) => void;
};

export type Jwt = {
  /** @returns the shopper, or the refusal; never throws. */
  verify(token: string): Promise<VerifiedToken | ProblemError>;
  /** Called for every request; costs one comparison. */
  keepFresh(): void;
};

// Synchronised clocks of two servers differ by less.
const clockToleranceSeconds = 5;
// Half of what all headers of a request may have. Issuers that include a user's groups reach 4 kB.
const tokenCharactersMax = 8192;

/** Tokens of the shop's own issuer (RFC 7519), verified with its public key or with the keys at its URL. */
export function createJwt(options: JwtOptions): Jwt {
  const { config, nowMs } = options;
  const keys = createKeys(options);
  const rules: JWTVerifyOptions = {
    // The token's header does not choose the algorithm, so neither `none` nor a public key used as a shared secret
    // works.
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
  'The subject of the token is not a valid shopper id: expected 1 to 128 characters in NFKC form, none of them invisible.';
const invalid = new ProblemError('not-authenticated', 'The token is not valid.');
const over = new ProblemError('not-authenticated', 'The token has expired.');
const keysUnavailable = new ProblemError('unavailable', 'The keys that verify tokens could not be read yet.');

// Besides its own errors, jose passes on the runtime's errors about a key that does not fit. All of them are caused by
// the token or by the key that it names, never by a defect of the engine.
function refusalOf(error: unknown): ProblemError {
  if (error instanceof OperatingError) return keysUnavailable;
  return error instanceof joseErrors.JWTExpired ? over : invalid;
}
