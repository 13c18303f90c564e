import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

import { isSlug, type ProblemKind, type ProblemSlug, problems } from './problem-slugs.js';

/** Thrown by routes where a refusal is not an ordinary answer. The error handler turns it into a problem. */
export class ProblemError extends Error {
  constructor(
    readonly slug: ProblemSlug,
    readonly detail?: string,
    /** Overrides the delay of the slug. */
    readonly retryAfterSeconds?: number,
  ) {
    super(detail ?? problems[slug].message);
  }
}

/** @param extra members besides the standard ones, such as the id of an order whose outcome is unknown. */
export function sendProblem(
  reply: FastifyReply,
  slug: ProblemSlug,
  detail?: string,
  extra?: Record<string, unknown>,
): FastifyReply {
  const kind: ProblemKind = problems[slug];
  reply.code(kind.status).header('content-type', 'application/problem+json');
  if (kind.status === 401) reply.header('www-authenticate', 'Bearer');
  if (kind.retryAfterSeconds !== undefined) reply.header('retry-after', retryAfter(kind.retryAfterSeconds));
  return reply.send(
    detail === undefined && extra === undefined ? plainBodies[slug] : problemText(slug, detail, extra),
  );
}

// Shoppers who were refused at the same instant must not all come back at the same instant.
const retryAfterSpreadSeconds = 3;

function retryAfter(seconds: number): number {
  return seconds + Math.floor(Math.random() * retryAfterSpreadSeconds);
}

/**
 * `overloaded`, sent before Fastify has made a reply. This halves the cost of a refusal when the process is busiest.
 */
export function refuseOverloaded(response: ServerResponse): void {
  const { status, retryAfterSeconds } = problems.overloaded;
  const text = plainBodies.overloaded ?? '';
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    'retry-after': String(retryAfter(retryAfterSeconds)),
  });
  response.end(text);
}

/** The body of a problem, as JSON. */
export function problemText(slug: ProblemSlug, detail?: string, extra?: Record<string, unknown>): string {
  return JSON.stringify({ ...problemBody(slug, detail), ...extra });
}

export function problemBody(slug: ProblemSlug, detail?: string) {
  const { status, title, message }: ProblemKind = problems[slug];
  return {
    type: `/problems/${slug}`,
    title,
    status,
    detail: detail ?? message,
    success: false,
    message,
  };
}

// A sale sends `sold-out` a million times, and its text never changes.
const plainBodies = Object.fromEntries(
  Object.keys(problems)
    .filter(isSlug)
    .map(slug => [slug, problemText(slug)]),
);
