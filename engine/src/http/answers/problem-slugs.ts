/** What a refused request gets: RFC 9457 members, plus `success` and `message` (the published contract of the API). */
export type ProblemKind = { status: number; title: string; message: string; retryAfterSeconds?: number };

/**
 * Every refusal. The slug is the stable end of `type`. docs/outcomes.md lists the slugs by precedence, and a test walks
 * that list.
 */
export const problems = {
  invalid: { status: 400, title: 'Invalid request', message: 'The request is not valid.' },
  'limit-key-required': {
    status: 400,
    title: 'Limit key required',
    message:
      'This sale limits units per payment fingerprint or address, and the request does not include one.',
  },
  'payment-method-required': {
    status: 400,
    title: 'Payment method required',
    message: 'This purchase requires payment. Please choose a payment method.',
  },
  'not-authenticated': { status: 401, title: 'Not authenticated', message: 'Please sign in first.' },
  forbidden: { status: 403, title: 'Forbidden', message: 'You may not do this.' },
  'token-required': {
    status: 403,
    title: 'Token required',
    message: 'You had to sign up for this sale before it opened.',
  },
  'challenge-required': {
    status: 403,
    title: 'Challenge required',
    message: "Solve this sale's challenge first.",
  },
  'challenge-failed': {
    status: 403,
    title: 'Challenge failed',
    message: 'This challenge is unsolved, too old, or already used. Fetch a new one.',
  },
  'forbidden-origin': {
    status: 403,
    title: 'Forbidden origin',
    message: 'This page is not allowed to act on your behalf.',
  },
  csrf: {
    status: 403,
    title: 'Cross-site request',
    message: 'Send the X-CSRF-Token that belongs to the session.',
  },
  'faults-disabled': {
    status: 403,
    title: 'Faults disabled',
    message: 'Fault injection is not enabled.',
  },
  'rehearsals-disabled': {
    status: 403,
    title: 'Rehearsals disabled',
    message: 'Rehearsals are not available.',
  },
  'not-found': { status: 404, title: 'Not found', message: 'This resource does not exist.' },
  'product-not-found': { status: 404, title: 'Product not found', message: 'This product does not exist.' },
  'sale-not-found': { status: 404, title: 'Sale not found', message: 'This sale does not exist.' },
  'series-not-found': { status: 404, title: 'Series not found', message: 'This series does not exist.' },
  'order-not-found': { status: 404, title: 'Order not found', message: 'This order does not exist.' },
  'code-not-found': { status: 404, title: 'Code not found', message: 'This code is not valid.' },
  'dead-letter-not-found': {
    status: 404,
    title: 'Dead letter not found',
    message: 'This dead letter does not exist.',
  },
  'webhook-not-found': { status: 404, title: 'Webhook not found', message: 'This webhook does not exist.' },
  'delivery-not-found': {
    status: 404,
    title: 'Delivery not found',
    message: 'This delivery does not exist.',
  },
  'session-not-found': { status: 404, title: 'Session not found', message: 'This session does not exist.' },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    message: 'This method is not allowed here.',
  },
  'token-too-late': {
    status: 409,
    title: 'Too late for a token',
    message: 'Tokens were available only before the sale opened.',
  },
  'sale-not-open': { status: 409, title: 'Sale not open', message: 'This product is not on sale right now.' },
  'limit-reached': {
    status: 409,
    title: 'Limit reached',
    message: 'This would exceed the limit per buyer for this sale.',
  },
  'payment-limit-reached': {
    status: 409,
    title: 'Limit reached',
    message: 'This would exceed the limit per payment method for this sale.',
  },
  'address-limit-reached': {
    status: 409,
    title: 'Limit reached',
    message: 'This would exceed the limit per address for this sale.',
  },
  'decline-limit-reached': {
    status: 409,
    title: 'Too many declined payments',
    message: 'Too many of your payments in this sale were declined. No more are accepted.',
  },
  'sold-out': { status: 409, title: 'Sold out', message: 'Not enough units are left.' },
  'payment-declined': {
    status: 402,
    title: 'Payment declined',
    message: 'The payment was declined. Nothing was charged.',
  },
  'code-used': { status: 409, title: 'Code used', message: 'This code has already been used.' },
  'code-expired': {
    status: 410,
    title: 'Code expired',
    message: 'This code has expired, and its units were returned.',
  },
  'order-ended': {
    status: 409,
    title: 'Order ended',
    message: 'This order has ended, and its units were returned.',
  },
  'order-confirmed': {
    status: 409,
    title: 'Order confirmed',
    message: 'This order is confirmed and cannot be cancelled.',
  },
  'sale-overlaps': {
    status: 409,
    title: 'Sale overlaps',
    message: 'The product has another sale in this window.',
  },
  'not-replayable': {
    status: 409,
    title: 'Not replayable',
    message: 'This dead letter cannot be replayed.',
  },
  'sale-ended': { status: 409, title: 'Sale ended', message: 'This sale has already ended.' },
  'too-many-webhooks': {
    status: 409,
    title: 'Too many webhooks',
    message: 'The maximum number of webhooks has been reached. Delete one first.',
  },
  'webhook-disabled': { status: 409, title: 'Webhook disabled', message: 'Enable this webhook first.' },
  'too-many-faults': {
    status: 409,
    title: 'Too many faults',
    message: 'The maximum number of faults has been reached. Clear some first.',
  },
  'rehearsal-running': {
    status: 409,
    title: 'Rehearsal running',
    message: 'A rehearsal is already running. Stop it, or wait until it ends.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    message: 'The request did not arrive in time.',
  },
  'too-large': { status: 413, title: 'Body too large', message: 'The request body is too large.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    message: 'Send application/json.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key reused',
    message: 'This Idempotency-Key was used for another purchase. Use a new key for a new purchase.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    message: 'The request has too many headers, or they are too large.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    message: 'Too many requests. Please wait a moment and try again.',
  },
  'too-many-streams': {
    status: 429,
    title: 'Too many streams',
    message: 'Too many event streams are open. Close one first.',
    retryAfterSeconds: 2,
  },
  'locked-out': {
    status: 429,
    title: 'Locked out',
    message: 'Too many wrong secrets. Please wait before you try again.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    message: 'There are too many requests right now. Nothing was bought; please try again.',
    retryAfterSeconds: 1,
  },
  undecided: {
    status: 503,
    title: 'Not decided',
    message: 'The purchase could not be decided. Nothing was bought; please try again.',
    retryAfterSeconds: 1,
  },
  'outcome-unknown': {
    status: 503,
    title: 'Outcome unknown',
    message: 'The purchase may have gone through. Send it again with the same Idempotency-Key to find out.',
    retryAfterSeconds: 1,
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    message: 'The service cannot answer right now; please try again.',
    retryAfterSeconds: 1,
  },
  internal: { status: 500, title: 'Internal error', message: 'Something went wrong on our side.' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemSlug = keyof typeof problems;

/** The refusals that a route declares. */
export function slugs(...names: ProblemSlug[]): readonly ProblemSlug[] {
  return names;
}

export function isSlug(slug: string): slug is ProblemSlug {
  return slug in problems;
}
