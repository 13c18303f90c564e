import type { FastifyRequest } from 'fastify';
import { type Caller, type Identity, shopperOf } from '../identity/identity.js';
import { checkMayState } from './limit-keys.js';

export type BuyBody = {
  productId: number;
  /** One, where it is not said. */
  quantity?: number | undefined;
  userId?: string | undefined;
  paymentMethod?: string | undefined;
  paymentFingerprint?: string | undefined;
  addressKey?: string | undefined;
  challenge?: string | undefined;
  token?: string | undefined;
};

/** One request to buy: who asks, for what, and since when. */
export type Visit = {
  request: FastifyRequest;
  body: BuyBody;
  caller: Caller;
  shopperId: string;
  quantity: number;
  /** Of the intent. Without one no earlier request can have made an order of it. */
  key: string | undefined;
  /** `performance.now()` */
  receivedAtMs: number;
};

/** @throws ProblemError for a caller who is nobody, or who says what only others may. */
export function visitOf(identity: Identity, request: FastifyRequest, body: BuyBody): Visit {
  const receivedAtMs = performance.now();
  const caller = identity.callerOf(request);
  const shopperId = shopperOf(caller, request, body.userId);
  checkMayState(caller, body);
  const key = headerOf(request, 'idempotency-key');
  return { request, body, caller, shopperId, quantity: body.quantity ?? 1, key, receivedAtMs };
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
