import { ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ProblemSlug, problems } from '../answers/problem-slugs.js';
import { problemText, sendProblem } from '../answers/send-problem.js';

/** Answers to errors below JSON: HTTP that two parsers may read differently, or that never ends. */

// Browsers and proxies send about 30. Node's parser silently drops headers beyond its own bound.
const headersMax = 100;

/** Refuses a request that Node's parser accepts although it has too many headers or not exactly one Host. */
export function refuseMalformed(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { rawHeaders, httpVersionMajor, httpVersionMinor } = request.raw;
  if (rawHeaders.length > 2 * headersMax) {
    sendProblem(reply.header('connection', 'close'), 'headers-too-large');
    return;
  }
  const hosts = countHosts(rawHeaders);
  if (httpVersionMajor !== 1) sendProblem(reply.header('connection', 'close'), 'invalid', notHttp);
  else if (hosts === 1 || (hosts === 0 && httpVersionMinor === 0)) done();
  else sendProblem(reply.header('connection', 'close'), 'invalid', `host: expected one, got ${hosts}`);
}

// Runs for every request: comparing the length first is cheap, and few names are as short.
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let position = 0; position < rawHeaders.length; position += 2) {
    const name = rawHeaders[position];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/**
 * Answers what Node's parser refuses or has waited for too long, and closes: the rest of the input cannot be parsed.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnsweringAnother(socket)) {
    socket.destroy();
    return;
  }
  const slug = slugByCode[error.code ?? ''] ?? 'invalid';
  const body = problemText(slug, slug === 'invalid' ? notHttp : undefined);
  const { status } = problems[slug];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A peer that keeps sending, or reads nothing, must not hold the socket.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

// A round trip and more than one retransmission.
const lingerMs = 1000;

const slugByCode: Record<string, ProblemSlug> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

const notHttp = 'The request is not valid HTTP/1.1.';

// A refusal written now would be read as the answer to the previous request, and might deny a purchase that goes
// through. Node keeps that answer on the socket, under an internal name, and checks it for the same reason.
function isAnsweringAnother(socket: Socket): boolean {
  const answer: unknown = Reflect.get(socket, '_httpMessage');
  return answer instanceof ServerResponse && (answer.headersSent || answer.req.complete);
}
