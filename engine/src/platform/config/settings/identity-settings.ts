import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { integer, list, secret, secretCharactersMin, secretList } from '../fields.js';

// Asymmetric ones alone: with a shared secret in the list, a public key could be used as one.
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

const origin = z
  .string()
  .refine(isOrigin, 'expected origins such as https://shop.example, without a path, separated by commas');

// Names of operators go into the audit trail and the answers about it.
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

/** Who may call, and the secrets that say so. */
export const identitySettings = {
  IDENTITY: z
    .enum(['demo', 'jwt', 'trusted'])
    .default('demo')
    .describe(
      "`jwt`: shoppers with tokens of your issuer; `trusted`: only the shop's own server calls; `demo`: anybody may become a shopper. No default with `NODE_ENV=production`",
    ),
  // Each is compared with the caller's on every request, 0.1 us a key.
  API_KEY: secretList(20).describe(
    "the shop's own server; up to 20, separated by commas: while one is replaced, both count. Unless set it is made at the first start and kept in `DATA_DIR`, mode 600",
  ),
  OPERATOR_TOKEN: secret().describe(
    'the secret of the operator of that name; unless set made and kept as `API_KEY`',
  ),
  // More would want a directory of their own.
  OPERATORS: list(operator, 100)
    .optional()
    .describe(
      '`ann:secret,bob:secret`: up to 100 operators with names and secrets of their own, beside `operator` with `OPERATOR_TOKEN`',
    ),
  SECRET_KEY: secret().describe(
    'signs sessions and checkout codes, seals secrets of webhooks; the same in all processes. Unless set made and kept as `API_KEY`',
  ),
  // Derived from SECRET_KEY unless set.
  CSRF_SECRET: secret().describe(
    'signs the tokens of clients with cookies but without an origin; unless set derived from `SECRET_KEY`',
  ),
  // A list of origins is looked through for requests that come from another one.
  CORS_ORIGIN: list(origin, 20)
    .optional()
    .describe(
      'up to 20 origins, separated by commas, whose pages may call the API, with cookies too; none otherwise',
    ),
  // auto: where the request came over https, and always in production.
  COOKIE_SECURE: z
    .enum(['auto', 'true', 'false'])
    .default('auto')
    .describe(
      '`auto`: cookies for encrypted connections alone, in production or where the request came over https',
    ),
  // A demo shopper finds their orders again for a week.
  SESSION_TTL_SECONDS: integer(604_800, 1, 31_536_000).describe("how long a demo shopper's session counts"),
  // A working day.
  OPERATOR_SESSION_TTL_SECONDS: integer(28_800, 1, 2_592_000).describe(
    'how long a sign-in of an operator counts',
  ),
  // More mistakes than a person makes in a row; 0 is no limit.
  OPERATOR_TRIES_MAX: integer(10, 0, 100_000).describe(
    'wrong secrets, by name and by address, after which further wrong ones are [refused with 429](access.md#operators); 0 is no limit',
  ),
  // Ten tries in five minutes are a million a year: nothing against the second half of 16 random characters.
  OPERATOR_LOCKOUT_SECONDS: integer(300, 1, 86_400).describe('for how long'),
  // Books are closed after a year; 0 keeps them for ever.
  OPERATOR_ACTIONS_RETENTION_DAYS: integer(400, 0, 36_500).describe(
    'days after which the scheduler forgets what operators did; 0 keeps it for ever',
  ),
  JWT_PUBLIC_KEY: z
    .string()
    // Where a variable can not hold lines, they are written as \n.
    .transform(text => text.replaceAll('\\n', '\n').trim())
    .refine(
      text => publicKeyOf(text) !== undefined,
      'expected a public key in PEM, -----BEGIN PUBLIC KEY-----',
    )
    .optional()
    .describe("the issuer's key; `\\n` stands for line ends. This or `JWT_JWKS_URL` with `IDENTITY=jwt`"),
  JWT_JWKS_URL: z
    .url({ protocol: /^https?$/, error: 'expected an address such as https://id.example/jwks.json' })
    .optional()
    .describe(
      "where [the issuer's keys](access.md#keys-of-the-issuer) are; https with `NODE_ENV=production`",
    ),
  JWT_ALGORITHMS: list(z.enum(algorithms), algorithms.length)
    .default(['RS256', 'ES256', 'EdDSA'])
    .describe('separated by commas; none with a shared secret'),
  JWT_ISSUER: z.string().optional().describe('`iss` of the tokens; wanted with `IDENTITY=jwt`'),
  JWT_AUDIENCE: z.string().optional().describe('`aud` of the tokens; wanted with `IDENTITY=jwt`'),
  // How often a token with an unknown key may have the keys read again, and how old they may be before they are in any case.
  JWT_JWKS_COOLDOWN_MS: integer(30_000, 1, 3_600_000).describe(
    'how often a token with an unknown key may have the keys read again',
  ),
  JWT_JWKS_MAX_AGE_MS: integer(600_000, 1, 86_400_000).describe(
    'how old the keys may be before they are read again in any case',
  ),
  // As for decisions, and a second for the rest: a shopper whose token is new waits for it.
  JWT_JWKS_TIMEOUT: integer(3000, 1, 60_000).describe('ms for one reading of the keys'),
};

type IdentityConfig = z.output<z.ZodObject<typeof identitySettings>> & { NODE_ENV: string };

/** What is wrong with settings that are fine one by one. */
export function identityProblems(config: IdentityConfig): string[] {
  return [...jwtProblems(config), ...operatorProblems(config)];
}

function jwtProblems(config: IdentityConfig): string[] {
  const { IDENTITY, JWT_PUBLIC_KEY: pem, JWT_JWKS_URL: url, JWT_ISSUER, JWT_AUDIENCE } = config;
  if (IDENTITY !== 'jwt') return [];
  const problems: string[] = [];
  if ((pem === undefined) === (url === undefined)) {
    problems.push('JWT_PUBLIC_KEY: expected this or JWT_JWKS_URL with IDENTITY=jwt, and not both');
  }
  // Without these a token that was made for another service of the same issuer would be good here.
  if (!JWT_ISSUER) problems.push('JWT_ISSUER: expected with IDENTITY=jwt');
  if (!JWT_AUDIENCE) problems.push('JWT_AUDIENCE: expected with IDENTITY=jwt');
  // Who can change what is read there can be any shopper.
  if (config.NODE_ENV === 'production' && url?.startsWith('http:')) {
    problems.push('JWT_JWKS_URL: expected https when NODE_ENV=production');
  }
  const key = publicKeyOf(pem ?? '');
  if (key && !config.JWT_ALGORITHMS.some(algorithm => fits(key, algorithm))) {
    problems.push(
      'JWT_ALGORITHMS: expected one that JWT_PUBLIC_KEY is for (RSA from 2048 bits, EC or Ed25519)',
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
  // A private key would do as well, and has no business here.
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
