import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { atMostPerSecond } from '../../platform/telemetry/rarely.js';
import { traceOf } from '../../platform/telemetry/tracing.js';
import { nameRequest } from './request-id.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the ledger was asked on its behalf; undefined where memory answered, or nothing was to be decided. */
    decision: DecisionStages | undefined;
  }
}

/** By `performance.now()`: when body and caller were known, and when the ledger's answer was. */
type DecisionStages = { orderId: string; receivedAtMs: number; decidedAtMs: number };

// Enough to see what it is; in an overload every request is slow, and a log that says it of each makes it slower.
const linesPerSecondMax = 10;

export type TellSlow = (request: FastifyRequest, reply: FastifyReply, durationMs: number) => void;

/** Warns of each answer that took longer than `slowMs`, with its stages: at most ten a second, the others are counted. */
export function createTellSlow(logger: Logger, slowMs: number, nowMs = () => performance.now()): TellSlow {
  const mayTell = atMostPerSecond(linesPerSecondMax, nowMs);
  let untold = 0;

  return (request, reply, durationMs) => {
    if (slowMs === 0 || durationMs <= slowMs) return;
    if (!mayTell()) {
      untold += 1;
      return;
    }
    logger.warn({ ...describe(request, reply, durationMs), ...(untold > 0 && { untold }) }, 'a slow request');
    untold = 0;
  };
}

function describe(request: FastifyRequest, reply: FastifyReply, durationMs: number) {
  const { method, routeOptions, decision, enteredAtMs, span } = request;
  return {
    requestId: nameRequest(request, reply),
    ...traceOf(span),
    ...{ method, route: routeOptions.url, status: reply.statusCode, durationMs: rounded(durationMs) },
    ...(decision && { orderId: decision.orderId, stagesMs: stagesOf(decision, enteredAtMs, durationMs) }),
  };
}

/** `enter`: body, caller, limits and gate. `decide`: the wait for the batch, and the ledger. `answer`: what came after, paying included. */
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
