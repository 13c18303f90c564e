import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenUntilTestEnds } from './listen.js';

type ProviderCall = { path: string; body: string; traceparent: unknown };

export type ProviderProxy = {
  url: string;
  /** What the provider was asked, as the engine sent it. */
  calls: ProviderCall[];
  /** Answers calls with this instead; `undefined` lets one pass to the provider. */
  answerWith(answer: (call: ProviderCall) => { status: number; body: unknown } | undefined): void;
  /** Changes requests to the provider, so that it does something other than the engine wanted. */
  rewrite(change: (call: ProviderCall) => string): void;
  /** Lets the provider act, and loses its answer. */
  loseAnswers(isLost: (call: ProviderCall) => boolean): void;
};

/** Stands between an engine and its payment provider, for lies that the provider itself does not tell. */
export async function startProviderProxy(targetUrl: string): Promise<ProviderProxy> {
  const calls: ProviderCall[] = [];
  let answer: Parameters<ProviderProxy['answerWith']>[0] = () => undefined;
  let change: Parameters<ProviderProxy['rewrite']>[0] = call => call.body;
  let isLost: Parameters<ProviderProxy['loseAnswers']>[0] = () => false;

  async function pass(request: IncomingMessage, call: ProviderCall) {
    const { authorization = '' } = request.headers;
    const sent = await fetch(new URL(call.path, targetUrl), {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: change(call),
    });
    return { status: sent.status, text: await sent.text() };
  }

  const server = createServer(async (request, reply) => {
    const { traceparent } = request.headers;
    const call = { path: request.url ?? '', body: await text(request), traceparent };
    calls.push(call);
    const own = answer(call);
    const given = own ? { status: own.status, text: JSON.stringify(own.body) } : await pass(request, call);
    if (isLost(call)) return reply.destroy();
    reply.writeHead(given.status, { 'content-type': 'application/json' }).end(given.text);
  });
  const port = await listenUntilTestEnds(server);
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    answerWith(next) {
      answer = next;
    },
    rewrite(next) {
      change = next;
    },
    loseAnswers(next) {
      isLost = next;
    },
  };
}
