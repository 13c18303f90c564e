import type { FastifyReply } from 'fastify';
import type { ProblemSlug } from '../answers/problem-slugs.js';
import { sendProblem } from '../answers/send-problem.js';
import type { Decided, Granted } from './decide-purchase.js';

export type Refused = Exclude<Decided, Granted>['outcome'];

const slugOf: Record<Refused, ProblemSlug> = {
  'sale-not-open': 'sale-not-open',
  'limit-reached': 'limit-reached',
  'limit-key-required': 'limit-key-required',
  'payment-limit-reached': 'payment-limit-reached',
  'address-limit-reached': 'address-limit-reached',
  'decline-limit-reached': 'decline-limit-reached',
  'payment-method-required': 'payment-method-required',
  'sold-out': 'sold-out',
  'key-reused': 'idempotency-key-reused',
  'token-required': 'token-required',
  'challenge-required': 'challenge-required',
  'challenge-failed': 'challenge-failed',
  'rate-limited': 'rate-limited',
  overloaded: 'overloaded',
  undecided: 'undecided',
  unknown: 'outcome-unknown',
  // Only a worker's orders have these outcomes; a shopper's request never does.
  'sale-paused': 'sale-not-open',
  'order-not-found': 'order-not-found',
};

/** @param orderId part of the answer if the outcome is unknown, so that the shopper can look up the order. */
export function answerRefusal(reply: FastifyReply, outcome: Refused, orderId: string | null): void {
  const extra = outcome === 'unknown' ? { orderId } : undefined;
  sendProblem(reply, slugOf[outcome], undefined, extra);
}
