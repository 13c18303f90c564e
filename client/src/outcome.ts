import type { components } from './openapi.js';

/** RFC 9457, as every refusal is answered. */
export type Problem = components['schemas']['Problem'];
type SlugOf<Type> = Type extends `/problems/${infer Slug}` ? Slug : never;

/** Every refusal there is; docs/outcomes.md says when each is given, and what to do next. */
export type ProblemSlug = SlugOf<Problem['type']>;

type Granted<Value> = {
  kind: 'granted';
  value: Value;
  /** The key had made its order before; this is that order. */
  isReplay: boolean;
};

export type Refused = {
  kind: 'refused';
  /** `unforeseen` is one that only a later version of the engine gives. */
  slug: ProblemSlug | 'unforeseen';
  status: number;
  message: string;
  /** False where this try, or an earlier one of the same call, may have made an order all the same. */
  tookNothing: boolean;
  /** The order that this is about, where there is or may be one. */
  orderId?: string;
  retryAfterMs?: number;
};

/** No answer that the shop's API documents: nobody knows whether there is an order, and the key finds out. */
export type Lost = { kind: 'lost'; cause: unknown };

export type Outcome<Value> = Granted<Value> | Refused | Lost;

/**
 * - `open`: there may be an order all the same, and the same request finds out.
 * - `passing`: nothing was taken, and the same request may succeed in a moment.
 * - `barred`: the shop turned the caller away before it looked the key up, so that it says nothing about earlier tries.
 * - `final`: a decision about this key.
 */
const natures: Record<ProblemSlug, 'open' | 'passing' | 'barred' | 'final'> = {
  'outcome-unknown': 'open',
  unavailable: 'open',
  // It may have failed after COMMIT.
  internal: 'open',
  overloaded: 'passing',
  undecided: 'passing',
  'rate-limited': 'passing',
  'too-many-streams': 'passing',
  'request-timeout': 'passing',
  csrf: 'barred',
  'forbidden-origin': 'barred',
  'not-authenticated': 'barred',
  'challenge-failed': 'final',
  'challenge-required': 'final',
  'code-expired': 'final',
  'code-not-found': 'final',
  'code-used': 'final',
  'dead-letter-not-found': 'final',
  'faults-disabled': 'final',
  forbidden: 'final',
  'headers-too-large': 'final',
  'idempotency-key-reused': 'final',
  invalid: 'final',
  'address-limit-reached': 'final',
  'decline-limit-reached': 'final',
  'payment-method-required': 'final',
  'limit-key-required': 'final',
  'limit-reached': 'final',
  'payment-limit-reached': 'final',
  'locked-out': 'final',
  'method-not-allowed': 'final',
  'not-found': 'final',
  'not-replayable': 'final',
  'order-confirmed': 'final',
  'order-ended': 'final',
  'order-not-found': 'final',
  'payment-declined': 'final',
  'product-not-found': 'final',
  'rehearsal-running': 'final',
  'rehearsals-disabled': 'final',
  'sale-ended': 'final',
  'sale-not-found': 'final',
  'sale-not-open': 'final',
  'sale-overlaps': 'final',
  'series-not-found': 'final',
  'session-not-found': 'final',
  'sold-out': 'final',
  'token-required': 'final',
  'delivery-not-found': 'final',
  'too-many-webhooks': 'final',
  'webhook-disabled': 'final',
  'webhook-not-found': 'final',
  'token-too-late': 'final',
  'too-large': 'final',
  'too-many-faults': 'final',
  'unsupported-media-type': 'final',
};

/** What is sent again by itself. */
export const passingSlugs: ReadonlySet<Refused['slug']> = new Set(
  Object.keys(natures)
    .filter(isSlug)
    .filter(slug => natures[slug] === 'passing' || natures[slug] === 'open'),
);

/** Whether nothing more is to be learnt under the key of this request. Until then a new key may buy a second time. */
export function isFinal(outcome: Outcome<unknown>): boolean {
  if (outcome.kind === 'refused') return natureOf(outcome.slug) === 'final';
  return outcome.kind === 'granted';
}

function natureOf(slug: Refused['slug']) {
  return slug === 'unforeseen' ? 'final' : natures[slug];
}

export type Answered<Data> = {
  data?: Data | undefined;
  error?: Partial<Problem> | undefined;
  response: Response;
};

export function outcomeOf<Data>({ data, error, response }: Answered<Data>): Outcome<Data> {
  if (data !== undefined) {
    return {
      kind: 'granted',
      value: data,
      isReplay: response.headers.get('idempotency-replayed') === 'true',
    };
  }
  const slug = slugOf(error?.type);
  // A proxy between us and the shop has words of its own, and a later engine may fail in ways of its own.
  const isUnknown = slug === undefined || (slug === 'unforeseen' && response.status >= 500);
  if (isUnknown) return { kind: 'lost', cause: new UnknownAnswer(response.status) };
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  return {
    ...{ kind: 'refused', slug, status: response.status, message: error?.message ?? slug },
    tookNothing: natureOf(slug) !== 'open',
    ...(error?.orderId !== undefined && { orderId: error.orderId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

class UnknownAnswer extends Error {
  constructor(readonly status: number) {
    super(`answered ${status}, in words that the API does not document`);
  }
}

function slugOf(type: unknown): Refused['slug'] | undefined {
  const slug = typeof type === 'string' ? type.split('/problems/')[1] : undefined;
  if (slug === undefined) return undefined;
  return isSlug(slug) ? slug : 'unforeseen';
}

function isSlug(text: string): text is ProblemSlug {
  return Object.hasOwn(natures, text);
}

/** Seconds, as the shop says it, or a date, as proxies may. */
function readRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
