import type { components } from './openapi.js';

/** RFC 9457: the form of every refusal. */
export type Problem = components['schemas']['Problem'];
type SlugOf<Type> = Type extends `/problems/${infer Slug}` ? Slug : never;

/** Every possible refusal; docs/outcomes.md says when each occurs and what to do next. */
export type ProblemSlug = SlugOf<Problem['type']>;

type Granted<Value> = {
  kind: 'granted';
  value: Value;
  /** The key had already created an order; this is that order. */
  isReplay: boolean;
};

export type Refused = {
  kind: 'refused';
  /** `unforeseen` stands for a refusal that only a later version of the engine gives. */
  slug: ProblemSlug | 'unforeseen';
  status: number;
  message: string;
  /** False if this try, or an earlier one of the same call, may still have created an order. */
  tookNothing: boolean;
  /** The order concerned, if there is or may be one. */
  orderId?: string;
  retryAfterMs?: number;
};

/** No answer that the API documents. Whether there is an order is unknown; a retry with the same key finds out. */
export type Lost = { kind: 'lost'; cause: unknown };

export type Outcome<Value> = Granted<Value> | Refused | Lost;

/**
 * - `open`: there may still be an order, and the same request finds out.
 * - `passing`: nothing was taken, and the same request may succeed in a moment.
 * - `barred`: the shop refused the caller before it looked up the key, so this says nothing about earlier tries.
 * - `final`: a decision about this key.
 */
const natures: Record<ProblemSlug, 'open' | 'passing' | 'barred' | 'final'> = {
  'outcome-unknown': 'open',
  unavailable: 'open',
  // The failure may have come after COMMIT.
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

/** Refusals that the client retries by itself. */
export const passingSlugs: ReadonlySet<Refused['slug']> = new Set(
  Object.keys(natures)
    .filter(isSlug)
    .filter(slug => natures[slug] === 'passing' || natures[slug] === 'open'),
);

/** Whether nothing more can be learnt with the key of this request. Until then a new key may buy a second time. */
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
  // A proxy in between has its own texts, and a later engine may fail in new ways.
  const isUnknown = slug === undefined || (slug === 'unforeseen' && response.status >= 500);
  if (isUnknown) return { kind: 'lost', cause: new UnknownAnswer(response.status) };
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  return {
    kind: 'refused',
    slug,
    status: response.status,
    message: error?.message ?? slug,
    tookNothing: natureOf(slug) !== 'open',
    ...(error?.orderId !== undefined && { orderId: error.orderId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

class UnknownAnswer extends Error {
  constructor(readonly status: number) {
    super(`answered ${status} with a body that the API does not document`);
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

/** Seconds, as the shop sends them, or a date, as proxies may send. */
function readRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
