import type { FastifyError, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { messageOf, OperatingError } from '../../platform/errors.js';
import { sqlStateOf } from '../../platform/postgres.js';
import { traceOf } from '../../platform/telemetry/tracing.js';
import type { ProblemSlug } from './problem-slugs.js';
import { nameRequest } from './request-id.js';
import { ProblemError, sendProblem } from './send-problem.js';

const slugByFastifyCode: Record<string, ProblemSlug> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
};

/**
 * Turns every error into a problem, whether a route threw it or the request never reached a route. Logs those that are
 * the engine's own fault.
 */
export function createAnswerError(logger: Logger) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const slug = slugOf(error);
    if (slug === 'internal') logger.error({ err: error, ...describe(request, reply) }, 'a request failed');
    if (slug === 'unavailable')
      logger.warn({ err: error, ...describe(request, reply) }, 'the database did not answer');
    if (error instanceof ProblemError && error.retryAfterSeconds !== undefined)
      reply.header('retry-after', error.retryAfterSeconds);
    return sendProblem(reply, slug, detailOf(error, slug));
  };
}

function describe(request: FastifyRequest, reply: FastifyReply) {
  const { routeOptions, span } = request;
  return { requestId: nameRequest(request, reply), ...traceOf(span), route: routeOptions.url };
}

function slugOf(error: FastifyError): ProblemSlug {
  if (error instanceof ProblemError) return error.slug;
  const slug = slugByFastifyCode[error.code];
  if (slug) return slug;
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return 'invalid';
  return isUnavailable(error) ? 'unavailable' : 'internal';
}

function detailOf(error: FastifyError, slug: ProblemSlug): string | undefined {
  if (error instanceof ProblemError) return error.detail;
  if (hasZodFastifySchemaValidationErrors(error)) return error.validation.map(issueText).join('; ');
  return slug === 'invalid' ? error.message : undefined;
}

function issueText(issue: { instancePath: string; message?: string | undefined }): string {
  const path = issue.instancePath.replace(/^\//, '').replaceAll('/', '.');
  return `${path || 'body'}: ${issue.message ?? 'not valid'}`;
}

// Without a SQLSTATE the connection itself failed. Classes 53 and 57: the server lacks a resource or is shutting down.
function isUnavailable(error: unknown): boolean {
  if (error instanceof OperatingError) return error.retryable;
  const state = sqlStateOf(error);
  if (state !== undefined) return /^(08|53|57|25006|40|55)/.test(state);
  return /connect|ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_AGAIN|timeout|terminated/i.test(messageOf(error));
}

type RoutePattern = { methods: string[]; segments: string[] };

/**
 * Answers a wrong method with the allowed ones; the router itself only knows that there is "no such method and path".
 */
export function createAnswerUnknownRoute() {
  const routes: RoutePattern[] = [];
  return {
    onRoute({ method, url }: RouteOptions): void {
      routes.push({ methods: [method].flat(), segments: url.split('/') });
    },
    answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
      const segments = (request.url.split('?', 1)[0] ?? '').split('/');
      const methods = routes
        .filter(route => isMatch(route.segments, segments))
        .flatMap(route => route.methods);
      if (methods.length === 0) return sendProblem(reply, 'not-found');
      return sendProblem(reply.header('allow', [...new Set(methods)].join(', ')), 'method-not-allowed');
    },
  };
}

function isMatch(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, position) => part.startsWith(':') || part === segments[position]);
}
