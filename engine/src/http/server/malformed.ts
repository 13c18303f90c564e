import { ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ProblemSlug, problems } from '../answers/problem-slugs.js';
import { problemText, sendProblem } from '../answers/send-problem.js';

/** What is wrong below JSON: HTTP that two readers may read in two ways, or that never ends. */

// Browsers and proxies send some 30. Node's parser drops those beyond its own bound in silence.
const headersMax = 100;

/** Refuses a request that Node's parser lets pass although its headers are too many or its Host is not one. */
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

// In front of every request: the length is compared first, and few names are as short.
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let position = 0; position < rawHeaders.length; position += 2) {
    const name = rawHeaders[position];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/** Answers what Node's parser refuses or has waited for too long, and closes: what comes next can not be told. */
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
  // Whoever goes on sending, or takes nothing, does not hold the socket.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

// A round trip, and more than one retransmission.
const lingerMs = 1000;

const slugByCode: Record<string, ProblemSlug> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

const notHttp = 'The request is not HTTP/1.1 as it should be.';

// A refusal written now would be read as the answer to the request before it, and might deny a purchase that goes through.
// Node keeps that answer on the socket, under a name of its own, and looks at it for the same reason.
function isAnsweringAnother(socket: Socket): boolean {
  const answer: unknown = Reflect.get(socket, '_httpMessage');
  return answer instanceof ServerResponse && (answer.headersSent || answer.req.complete);
}
