import type { IncomingMessage, ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { safeParse, z } from 'zod';
import type { Tracing } from '../../platform/telemetry/tracing.js';
import { createAnswerError, createAnswerUnknownRoute } from '../answers/answer-error.js';
import { apiDocument } from '../description/api-document.js';
import type { ForwardedPages } from '../pages/forwarded-pages.js';
import { registerPages } from '../pages/pages.js';
import { createAnswerTogether } from './answer-together.js';
import { answerHalfClosed } from './half-closed.js';
import { answerClientError, refuseMalformed } from './malformed.js';
import { registerJson } from './parse-json.js';
import { countRequests, countStatus, methodOf, noRoute, type RequestCounts } from './request-counts.js';
import { createTellSlow } from './slow-requests.js';
import { traceRequests } from './trace-requests.js';

export type App = Awaited<ReturnType<typeof createServer>>;

// The largest request of ours is a product with a description of 10,000 characters, in UTF-8 or escaped.
const bodyBytesMax = 64 * 1024;

export type ServerOptions = {
  /** Addresses and ranges whose X-Forwarded-For counts. */
  proxies: readonly string[];
  /** For a whole request to arrive, for its headers, and between two of them. */
  requestTimeoutMs: number;
  headersTimeoutMs: number;
  idleTimeoutMs: number;
  /** Told before there is any route. */
  onCreated?: (app: FastifyInstance) => void;
  /** Asked before the router; a request that it has answered goes no further. */
  refuse?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** An answer that takes longer is logged; 0 is never. */
  slowRequestMs?: number;
  /** Where requests are counted, and timed. */
  requests?: RequestCounts;
  /** Where requests are traced; without it they are not. */
  tracing?: Tracing | undefined;
  /** What answers where the API has no route; without it that is not found. */
  forwardedPages?: ForwardedPages | undefined;
};

// How late a sender that dawdles may be cut off. The server goes through its open requests then, which are few.
const timeoutPrecisionMs = 1000;

/** The HTTP server without routes: limits, JSON rules, problems for whatever goes wrong, and the API's description. */
export async function createServer(logger: Logger, options: ServerOptions) {
  const { forwardedPages, requests, tracing, proxies, requestTimeoutMs, headersTimeoutMs, idleTimeoutMs } =
    options;
  const answerError = createAnswerError(logger);
  const app = Fastify({
    // Fastify's logger makes a child logger and listeners for every request, even with its lines turned off. What is
    // worth a line is logged where it is known.
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
    // A path that can not be decoded never reaches a route, nor a hook.
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
  if (tracing) traceRequests(app, tracing);
  if (options.refuse) refuseBeforeRouter(app, options.refuse, requests);
  app.setValidatorCompiler(compileValidator);
  // Answers are built by our own typed views; the contract test holds them against their schemas, the hot path does not.
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

/** Counts requests, tells each how long it took, and logs the slow ones. */
function timeRequests(
  app: FastifyInstance,
  logger: Logger,
  { requests, forwardedPages, slowRequestMs = 0 }: ServerOptions & { requests: RequestCounts },
) {
  const isPage = (request: FastifyRequest) => forwardedPages?.takes(request) ?? false;
  const tellSlow = createTellSlow(logger, slowRequestMs);
  return countRequests(app, requests, isPage, (request, reply, durationMs) => {
    reply.header('x-response-time', `${durationMs.toFixed(1)}ms`);
    tellSlow(request, reply, durationMs);
  });
}

/** What no route of the API takes is a page where pages are forwarded, and unknown otherwise. */
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

// Fastify puts its router behind the server by itself; here something stands between them.
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

/**
 * As the type provider does it, but for headers: those that are documented and present are checked one by one, and the
 * object stays as it is. Parsing the object of all headers, most of them none of ours, cost the hot path a tenth.
 */
const compileValidator: typeof validatorCompiler = route => {
  const parse = validatorCompiler(route);
  const { schema } = route;
  if (route.httpPart !== 'headers' || !(schema instanceof z.ZodObject)) return parse;
  const fields = Object.entries(schema.shape);
  return headers => {
    const isValid = fields.every(
      ([name, field]) => headers[name] === undefined || safeParse(field, headers[name]).success,
    );
    return isValid ? { value: headers } : parse(headers);
  };
};
