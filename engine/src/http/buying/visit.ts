import type { FastifyReply, FastifyRequest } from 'fastify';
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

/** One request to buy: for which shopper, for what, and since when. It is made once and passed from step to step. */
export type Visit = {
  request: FastifyRequest;
  reply: FastifyReply;
  body: BuyBody;
  caller: Caller;
  shopperId: string;
  quantity: number;
  /** The Idempotency-Key. Without one, no earlier request can have made an order for this intent. */
  key: string | undefined;
  /** `performance.now()` */
  receivedAtMs: number;
  /** null until a step needs it: most refusals need none. */
  orderId: string | null;
  /** `performance.now()` when the ledger had answered; 0 until then. */
  decidedAtMs: number;
};

/** @throws ProblemError for a caller without credentials, or one that states what only other callers may. */
export function visitOf(
  identity: Identity,
  request: FastifyRequest,
  body: BuyBody,
  reply: FastifyReply,
): Visit {
  const receivedAtMs = performance.now();
  const caller = identity.callerOf(request);
  const shopperId = shopperOf(caller, request, body.userId);
  checkMayState(caller, body);
  const key = headerOf(request, 'idempotency-key');
  const { quantity = 1 } = body;
  return {
    request,
    reply,
    body,
    caller,
    shopperId,
    quantity,
    key,
    receivedAtMs,
    orderId: null,
    decidedAtMs: 0,
  };
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
