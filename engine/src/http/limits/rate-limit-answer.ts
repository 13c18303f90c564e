import type { FastifyReply } from 'fastify';
import type { RateLimit, RateTaken } from '../../admission/rate-limits/rate-limits.js';

/** A limit as its callers see it: `name` for the quota left, `text` for the limit itself. */
export type RatePolicy = { name: string; rate: RateLimit; text: string };

export function createRatePolicy(name: string, rate: RateLimit): RatePolicy {
  return { name, rate, text: `"${name}";q=${rate.limit};w=${Math.ceil(rate.windowMs / 1000)}` };
}

/**
 * Tells a caller its quota in RateLimit-Policy and RateLimit, structured fields as in
 * draft-ietf-httpapi-ratelimit-headers-10 (q calls in w seconds; r are left, and t seconds until one more is allowed).
 * A call under two limits gets both.
 */
export function tellRate(reply: FastifyReply, { name, text }: RatePolicy, taken: RateTaken): void {
  append(reply, 'ratelimit-policy', text);
  const wait = taken.resetMs === 0 ? '' : `;t=${Math.ceil(taken.resetMs / 1000)}`;
  append(reply, 'ratelimit', `"${name}";r=${taken.remaining}${wait}`);
}

/** Adds up to a quarter to the wait for the next call, so that callers refused together do not come back together. */
export function tellRetryAfter(reply: FastifyReply, { resetMs }: RateTaken): void {
  const seconds = Math.ceil(resetMs / 1000);
  const spread = Math.ceil(seconds / 4);
  reply.header('retry-after', seconds + Math.floor(Math.random() * (spread + 1)));
}

function append(reply: FastifyReply, name: string, value: string): void {
  const before = reply.getHeader(name);
  reply.header(name, before === undefined ? value : `${before}, ${value}`);
}
