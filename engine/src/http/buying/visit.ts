import type { FastifyRequest } from 'fastify';
import { type Caller, type Identity, shopperOf } from '../identity/identity.js';
import { checkMayState } from './limit-keys.js';

export type BuyBody = {
  productId: number;
  /** 1 if absent. */
  quantity?: number | undefined;
  userId?: string | undefined;
  paymentMethod?: string | undefined;
  paymentFingerprint?: string | undefined;
  addressKey?: string | undefined;
  challenge?: string | undefined;
  token?: string | undefined;
};

/** One request to buy: for which shopper, for what, and since when. */
export type Visit = {
  request: FastifyRequest;
  body: BuyBody;
  caller: Caller;
  shopperId: string;
  quantity: number;
  /** The Idempotency-Key. Without one, no earlier request can have made an order for this intent. */
  key: string | undefined;
  /** `performance.now()` */
  receivedAtMs: number;
};

/** @throws ProblemError for a caller without credentials, or one that states what only other callers may. */
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
