import type { IncomingMessage, ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Tracing } from '../../platform/telemetry/tracing.js';
import { createAnswerError, createAnswerUnknownRoute } from '../answers/answer-error.js';
import { createAnswerTogether } from '../answers/answer-together.js';
import { apiDocument } from '../description/api-document.js';
import type { ForwardedPages } from '../pages/forwarded-pages.js';
import { registerPages } from '../pages/pages.js';
import { answerHalfClosed } from './half-closed.js';
import { answerClientError, refuseMalformed } from './malformed.js';
import { registerJson } from './parse-json.js';
import { countRequests, countStatus, methodOf, noRoute, type RequestCounts } from './request-counts.js';
import { createTellSlow } from './slow-requests.js';
import { traceRequests } from './trace-requests.js';
import { compileValidator } from './validate.js';

export type App = Awaited<ReturnType<typeof createServer>>;

// The largest valid request is a product with a description of 10,000 characters, in UTF-8 or escaped.
const bodyBytesMax = 64 * 1024;

export type ServerOptions = {
  /** Addresses and ranges whose X-Forwarded-For is trusted. */
  proxies: readonly string[];
  /** Time limits for a whole request to arrive, for its headers, and between two requests. */
  requestTimeoutMs: number;
  headersTimeoutMs: number;
  idleTimeoutMs: number;
  /** Called before any route is registered. */
  onCreated?: (app: FastifyInstance) => void;
  /** Called before the router; a request that it answers goes no further. */
  refuse?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Slower answers are logged; 0 turns this off. */
  slowRequestMs?: number;
  /** Where requests are counted and timed. */
  requests?: RequestCounts;
  /** Where requests are traced; undefined turns tracing off. */
  tracing?: Tracing | undefined;
  /** Whether requests are this process's own, which are not counted, traced or logged as slow. */
  isWarmingUp?: () => boolean;
  /** Answers requests that match no route of the API; without it they are not found. */
  forwardedPages?: ForwardedPages | undefined;
};

// How late a slow sender may be cut off. The check goes through the open requests, which are few.
const timeoutPrecisionMs = 1000;

/** The HTTP server without routes: limits, JSON rules, problems for every error, and the API's description. */
export async function createServer(logger: Logger, options: ServerOptions) {
  const { forwardedPages, requests, tracing, proxies, requestTimeoutMs, headersTimeoutMs, idleTimeoutMs } =
    options;
  const answerError = createAnswerError(logger);
  const app = Fastify({
    // Fastify's logger makes a child logger and listeners for every request, even with its log lines turned off. The
    // engine logs what is worth a line where it happens.
    logger: false,
    bodyLimit: bodyBytesMax,
    trustProxy: proxies.length > 0 ? [...proxies] : false,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    http: {
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: timeoutPrecisionMs,
      // Node's own refusal of a request without Host has no body; refuseMalformed answers it.
      requireHostHeader: false,
    },
    clientErrorHandler: answerClientError,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 100 },
    // A path that cannot be decoded reaches neither a route nor a hook.
    frameworkErrors(error, request, reply) {
      answerError(error, request, reply);
      if (requests) countStatus(requests.of(methodOf(request.method), noRoute.unknown), reply.statusCode);
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>();

  answerHalfClosed(app.server);
  options.onCreated?.(app);
  app.decorateRequest('decision', undefined);
  app.decorateRequest('span', undefined);
  const onAnswer = requests && timeRequests(app, logger, { ...options, requests });
  if (tracing) traceRequests(app, tracing, options.isWarmingUp);
  if (options.refuse) refuseBeforeRouter(app, options.refuse, requests);
  app.setValidatorCompiler(compileValidator);
  // Answers are built by typed views. The contract test checks them against their schemas; the hot path does not.
  app.setSerializerCompiler(() => JSON.stringify);
  app.addHook('onRequest', refuseMalformed);
  app.addHook('onSend', createAnswerTogether(onAnswer));
  app.setErrorHandler<FastifyError>(answerError);
  answerBeyondRoutes(app, forwardedPages);
  registerJson(app);

  await app.register(swagger, apiDocument);
  await registerPages(app);
  return app;
}

/** Counts requests, adds the duration to each answer, and logs slow requests. */
function timeRequests(
  app: FastifyInstance,
  logger: Logger,
  {
    requests,
    forwardedPages,
    slowRequestMs = 0,
    isWarmingUp = () => false,
  }: ServerOptions & { requests: RequestCounts },
) {
  const isPage = (request: FastifyRequest) => forwardedPages?.takes(request) ?? false;
  const tellSlow = createTellSlow(logger, slowRequestMs);
  const count = countRequests(app, requests, isPage, (request, reply, durationMs) => {
    reply.header('x-response-time', `${durationMs.toFixed(1)}ms`);
    tellSlow(request, reply, durationMs);
  });
  return (request: FastifyRequest, reply: FastifyReply) => {
    if (!isWarmingUp()) count(request, reply);
  };
}

/** A request that matches no route is for a page if pages are forwarded, and not found otherwise. */
function answerBeyondRoutes(app: FastifyInstance, forwardedPages: ForwardedPages | undefined): void {
  const unknownRoute = createAnswerUnknownRoute();
  app.addHook('onRoute', unknownRoute.onRoute);
  app.setNotFoundHandler((request, reply) =>
    forwardedPages?.takes(request)
      ? forwardedPages.answer(request, reply)
      : unknownRoute.answer(request, reply),
  );
  if (forwardedPages) app.addHook('onClose', forwardedPages.close);
}

// Fastify attaches its router directly to the server; here `refuse` comes before it.
function refuseBeforeRouter(
  app: FastifyInstance,
  refuse: NonNullable<ServerOptions['refuse']>,
  requests: RequestCounts | undefined,
): void {
  app.server.removeAllListeners('request');
  app.server.on('request', (request, response) => {
    if (!refuse(request, response)) return app.routing(request, response);
    if (requests) countStatus(requests.of(methodOf(request.method ?? ''), noRoute.full), 503);
  });
}
