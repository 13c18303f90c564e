import { signatureHeader as sandboxSignatureHeader } from '../../payments/sandbox/signature.js';
import { operatorCookie } from '../identity/operator-identity.js';
import { sessionCookie } from '../identity/shoppers.js';

/** Every credential that the API accepts, as /openapi.json describes it. */
export const securitySchemes = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description:
      "One of `API_KEY`, presented by the shop's own server. It names the shopper in `userId` or in the `X-User-Id` header.",
  },
  shopperJwt: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "With `IDENTITY=jwt`: a token of the shop's issuer. Its `sub` is the shopper.",
  },
  demoToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'With `IDENTITY=demo`: the `token` that `POST /api/session` returned.',
  },
  demoCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: sessionCookie,
    description: 'With `IDENTITY=demo`: the cookie that `POST /api/session` set.',
  },
  operatorSecret: {
    type: 'http',
    scheme: 'bearer',
    description: "An operator's secret: `OPERATOR_TOKEN`, or one of `OPERATORS`.",
  },
  operatorCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: operatorCookie,
    description: 'The cookie that `POST /api/admin/session` set.',
  },
  csrfToken: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description:
      "The `csrfToken` that came with a cookie. A client that sends neither `Sec-Fetch-Site` nor `Origin` needs it in addition to the cookie; a browser on one of the API's own pages does not.",
  },
  stripeSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'Stripe-Signature',
    description: "With `PAYMENT_PROVIDER=stripe`: Stripe's signature over the body.",
  },
  sandboxSignature: {
    type: 'apiKey',
    in: 'header',
    name: sandboxSignatureHeader,
    description: "With `PAYMENT_PROVIDER=sandbox`: the sandbox's signature over the body.",
  },
} as const;

type Scheme = keyof typeof securitySchemes;

/** Each caller with the credentials that identify it; any one of them is enough. */
const credentials = {
  anyone: [],
  shop: ['apiKey'],
  shoppers: ['apiKey', 'shopperJwt', 'demoToken', 'demoCookie'],
  operators: ['operatorSecret', 'operatorCookie'],
  'payment provider': ['stripeSignature', 'sandboxSignature'],
} as const satisfies Record<string, readonly Scheme[]>;

export type Callers = keyof typeof credentials;

type SecurityRequirement = Partial<Record<Scheme, string[]>>;

/** @param isUnsafe whether the call changes something; a cookie may then need the CSRF token as well. */
export function securityOf(callers: Callers, isUnsafe: boolean): SecurityRequirement[] {
  return credentials[callers].flatMap((scheme: Scheme): SecurityRequirement[] => {
    const alone = { [scheme]: [] };
    const isCookie = scheme === 'demoCookie' || scheme === 'operatorCookie';
    return isCookie && isUnsafe ? [alone, { ...alone, csrfToken: [] }] : [alone];
  });
}
