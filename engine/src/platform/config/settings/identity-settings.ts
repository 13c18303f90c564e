import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { integer, list, secret, secretCharactersMin, secretList } from '../fields.js';

// Only asymmetric ones: if the list allowed shared secrets, an attacker could use a public key as one.
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

const origin = z
  .string()
  .refine(isOrigin, 'expected origins such as https://shop.example, without a path, separated by commas');

// Operators' names appear in the audit trail and in the answers about it.
const operatorName = '[\\w.@-]{1,64}';
export const operatorNamePattern = new RegExp(`^${operatorName}$`);

const operator = z
  .string()
  .regex(
    new RegExp(`^${operatorName}:[\\x21-\\x7e]{${secretCharactersMin},}$`),
    `expected name:secret with at least ${secretCharactersMin} characters in each secret, separated by commas`,
  )
  .transform(text => {
    const colon = text.indexOf(':');
    return { name: text.slice(0, colon), secret: text.slice(colon + 1) };
  });

/** Who may call, and the secrets that prove it. */
export const identitySettings = {
  IDENTITY: z
    .enum(['demo', 'jwt', 'trusted'])
    .default('demo')
    .describe(
      "`jwt`: shoppers present tokens of your issuer; `trusted`: only the shop's own server calls; `demo`: anyone can become a shopper. No default with `NODE_ENV=production`",
    ),
  // Each is compared with a key that was not seen before, at 0.1 µs a key.
  API_KEY: secretList(20).describe(
    "keys of the shop's own server; up to 20, separated by commas, so that the old and the new one both work during a rotation. Unless set, one is generated at the first start and kept in `DATA_DIR` with mode 600",
  ),
  OPERATOR_TOKEN: secret().describe(
    'the secret of the operator named `operator`; unless set, generated and kept like `API_KEY`',
  ),
  // A larger team needs a user directory.
  OPERATORS: list(operator, 100)
    .optional()
    .describe(
      '`ann:secret,bob:secret`: up to 100 operators, each with a name and a secret, besides `operator` with `OPERATOR_TOKEN`',
    ),
  SECRET_KEY: secret().describe(
    'signs sessions and checkout codes, and encrypts the secrets of webhooks; the same in all processes. Unless set, generated and kept like `API_KEY`',
  ),
  CSRF_SECRET: secret().describe(
    'signs the CSRF tokens of clients that send cookies but no origin; unless set, derived from `SECRET_KEY`',
  ),
  // The list is searched linearly on each request from another origin.
  CORS_ORIGIN: list(origin, 20)
    .optional()
    .describe(
      'up to 20 origins, separated by commas, whose pages may call the API, including with cookies; unless set, none',
    ),
  COOKIE_SECURE: z
    .enum(['auto', 'true', 'false'])
    .default('auto')
    .describe(
      'whether cookies are limited to encrypted connections; `auto`: in production, or if the request came over https',
    ),
  // Demo shoppers can find their orders for a week.
  SESSION_TTL_SECONDS: integer(604_800, 1, 31_536_000).describe("how long a demo shopper's session is valid"),
  // A working day.
  OPERATOR_SESSION_TTL_SECONDS: integer(28_800, 1, 2_592_000).describe(
    "how long an operator's sign-in is valid",
  ),
  // More mistakes than a person makes in a row.
  OPERATOR_TRIES_MAX: integer(10, 0, 100_000).describe(
    'wrong secrets per name and per address before further wrong ones are [refused with 429](access.md#operators); 0 means no limit',
  ),
  // Ten tries in five minutes are a million a year: far too few to guess even the second half of 16 random characters.
  OPERATOR_LOCKOUT_SECONDS: integer(300, 1, 86_400).describe('how long that refusal lasts'),
  // Books are closed after a year.
  OPERATOR_ACTIONS_RETENTION_DAYS: integer(400, 0, 36_500).describe(
    'days after which the scheduler deletes the record of what operators did; 0 keeps it forever',
  ),
  JWT_PUBLIC_KEY: z
    .string()
    // Some environments cannot hold line breaks in a variable; there they are written as \n.
    .transform(text => text.replaceAll('\\n', '\n').trim())
    .refine(
      text => publicKeyOf(text) !== undefined,
      'expected a public key in PEM, -----BEGIN PUBLIC KEY-----',
    )
    .optional()
    .describe(
      "the issuer's public key; `\\n` may stand for line breaks. With `IDENTITY=jwt`, set either this or `JWT_JWKS_URL`",
    ),
  JWT_JWKS_URL: z
    .url({ protocol: /^https?$/, error: 'expected an address such as https://id.example/jwks.json' })
    .optional()
    .describe(
      "the address of [the issuer's keys](access.md#keys-of-the-issuer); must be https with `NODE_ENV=production`",
    ),
  JWT_ALGORITHMS: list(z.enum(algorithms), algorithms.length)
    .default(['RS256', 'ES256', 'EdDSA'])
    .describe('signature algorithms to accept, separated by commas; only asymmetric ones'),
  JWT_ISSUER: z.string().optional().describe('`iss` of the tokens; required with `IDENTITY=jwt`'),
  JWT_AUDIENCE: z.string().optional().describe('`aud` of the tokens; required with `IDENTITY=jwt`'),
  JWT_JWKS_COOLDOWN_MS: integer(30_000, 1, 3_600_000).describe(
    'minimum time between two key fetches that tokens with an unknown key trigger',
  ),
  JWT_JWKS_MAX_AGE_MS: integer(600_000, 1, 86_400_000).describe(
    'age of the keys after which they are fetched again in any case',
  ),
  // As for decisions, plus a second for the rest: a shopper whose token has a new key waits for it.
  JWT_JWKS_TIMEOUT: integer(3000, 1, 60_000).describe('timeout in ms for one fetch of the keys'),
};

type IdentityConfig = z.output<z.ZodObject<typeof identitySettings>> & { NODE_ENV: string };

/** What is wrong with the combination of settings that are valid individually. */
export function identityProblems(config: IdentityConfig): string[] {
  return [...jwtProblems(config), ...operatorProblems(config)];
}

function jwtProblems(config: IdentityConfig): string[] {
  const { IDENTITY, JWT_PUBLIC_KEY: pem, JWT_JWKS_URL: url, JWT_ISSUER, JWT_AUDIENCE } = config;
  if (IDENTITY !== 'jwt') return [];
  const problems: string[] = [];
  if ((pem === undefined) === (url === undefined)) {
    problems.push('JWT_PUBLIC_KEY: expected this or JWT_JWKS_URL with IDENTITY=jwt, but not both');
  }
  // Without these, a token that was issued for another service of the same issuer would be valid here.
  if (!JWT_ISSUER) problems.push('JWT_ISSUER: expected with IDENTITY=jwt');
  if (!JWT_AUDIENCE) problems.push('JWT_AUDIENCE: expected with IDENTITY=jwt');
  // An attacker who can change the keys in transit can be any shopper.
  if (config.NODE_ENV === 'production' && url?.startsWith('http:')) {
    problems.push('JWT_JWKS_URL: expected https when NODE_ENV=production');
  }
  const key = publicKeyOf(pem ?? '');
  if (key && !config.JWT_ALGORITHMS.some(algorithm => fits(key, algorithm))) {
    problems.push(
      'JWT_ALGORITHMS: expected one that fits JWT_PUBLIC_KEY (RSA from 2048 bits, EC or Ed25519)',
    );
  }
  return problems;
}

function operatorProblems({ OPERATORS = [], OPERATOR_TOKEN }: IdentityConfig): string[] {
  const names = ['operator', ...OPERATORS.map(({ name }) => name)];
  const secrets = [OPERATOR_TOKEN, ...OPERATORS.map(entry => entry.secret)];
  if (new Set(names).size === names.length && new Set(secrets).size === secrets.length) return [];
  return ['OPERATORS: expected names and secrets that differ; the name of OPERATOR_TOKEN is "operator"'];
}

function publicKeyOf(pem: string): KeyObject | undefined {
  // A private key would also parse, but does not belong here.
  if (!pem.startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

function fits(key: KeyObject, algorithm: (typeof algorithms)[number]): boolean {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (algorithm.startsWith('RS') || algorithm.startsWith('PS')) {
    return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048;
  }
  if (algorithm.startsWith('ES')) return namedCurve === curveOf[algorithm];
  return key.asymmetricKeyType === 'ed25519';
}

const curveOf: Record<string, string> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}
