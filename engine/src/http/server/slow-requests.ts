import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { atMostPerSecond } from '../../platform/telemetry/rarely.js';
import { traceOf } from '../../platform/telemetry/tracing.js';
import { nameRequest } from '../answers/request-id.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** When the ledger decided it; undefined if memory answered, or if there was nothing to decide. */
    decision: DecisionStages | undefined;
  }
}

/** By `performance.now()`: when the body and the caller were known, and when the ledger had answered. */
type DecisionStages = { orderId: string | null; receivedAtMs: number; decidedAtMs: number };

// Enough to recognise the problem. In an overload every request is slow, and logging each would make them slower.
const linesPerSecondMax = 10;

export type TellSlow = (request: FastifyRequest, reply: FastifyReply, durationMs: number) => void;

/**
 * Logs each answer that took longer than `slowMs`, with its stages: at most ten a second, and a count of the others.
 */
export function createTellSlow(logger: Logger, slowMs: number, nowMs = () => performance.now()): TellSlow {
  const mayTell = atMostPerSecond(linesPerSecondMax, nowMs);
  let untold = 0;

  return (request, reply, durationMs) => {
    if (slowMs === 0 || durationMs <= slowMs) return;
    if (!mayTell()) {
      untold += 1;
      return;
    }
    logger.warn({ ...describe(request, reply, durationMs), ...(untold > 0 && { untold }) }, 'slow request');
    untold = 0;
  };
}

function describe(request: FastifyRequest, reply: FastifyReply, durationMs: number) {
  const { method, routeOptions, decision, enteredAtMs, span } = request;
  return {
    requestId: nameRequest(request, reply),
    ...traceOf(span),
    method,
    route: routeOptions.url,
    status: reply.statusCode,
    durationMs: rounded(durationMs),
    ...(decision && { orderId: decision.orderId, stagesMs: stagesOf(decision, enteredAtMs, durationMs) }),
  };
}

/**
 * `enter`: body, caller, limits and gate. `decide`: waiting for the batch, and the ledger. `answer`: the rest,
 * including payment.
 */
function stagesOf({ receivedAtMs, decidedAtMs }: DecisionStages, enteredAtMs: number, durationMs: number) {
  return {
    enter: rounded(receivedAtMs - enteredAtMs),
    decide: rounded(decidedAtMs - receivedAtMs),
    answer: rounded(enteredAtMs + durationMs - decidedAtMs),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
