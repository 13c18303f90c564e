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
  /** The order that this is about, where there is or may be one. */
  orderId?: string;
  retryAfterMs?: number;
};

/** No answer of the shop's: nobody knows whether there is an order, and the key finds out. */
export type Lost = { kind: 'lost'; cause: unknown };

export type Outcome<Value> = Granted<Value> | Refused | Lost;

/**
 * Whether the same request may fare otherwise in a moment (`passing`), whether there may be an order all the same
 * (`open`), or whether it is a decision (`final`).
 */
const natures: Record<ProblemSlug, 'passing' | 'open' | 'final'> = {
  'outcome-unknown': 'open',
  unavailable: 'open',
  overloaded: 'passing',
  undecided: 'passing',
  'rate-limited': 'passing',
  'too-many-streams': 'passing',
  'request-timeout': 'passing',
  'challenge-failed': 'final',
  'challenge-required': 'final',
  'code-expired': 'final',
  'code-not-found': 'final',
  'code-used': 'final',
  csrf: 'final',
  'dead-letter-not-found': 'final',
  'faults-disabled': 'final',
  forbidden: 'final',
  'forbidden-origin': 'final',
  'headers-too-large': 'final',
  'idempotency-key-reused': 'final',
  internal: 'final',
  invalid: 'final',
  'address-limit-reached': 'final',
  'limit-key-required': 'final',
  'limit-reached': 'final',
  'payment-limit-reached': 'final',
  'locked-out': 'final',
  'method-not-allowed': 'final',
  'not-authenticated': 'final',
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
export const passingSlugs = new Set(slugsOf('passing', 'open'));
const openSlugs = new Set(slugsOf('open'));

/** Whether nothing more is to be learnt under the key of this request. */
export function isFinal(outcome: Outcome<unknown>): boolean {
  if (outcome.kind === 'refused') return !openSlugs.has(outcome.slug);
  return outcome.kind === 'granted';
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
  // A proxy between us and the shop has words of its own.
  if (slug === undefined) return { kind: 'lost', cause: new UnknownAnswer(response.status) };
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  return {
    ...{ kind: 'refused', slug, status: response.status, message: error?.message ?? slug },
    ...(error?.orderId !== undefined && { orderId: error.orderId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

class UnknownAnswer extends Error {
  constructor(readonly status: number) {
    super(`answered ${status}, and not by the shop`);
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

function slugsOf(...wanted: (typeof natures)[ProblemSlug][]): Refused['slug'][] {
  return Object.keys(natures)
    .filter(isSlug)
    .filter(slug => wanted.includes(natures[slug]));
}

/** Seconds, as the shop says it, or a date, as proxies may. */
function readRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
