import { createServer, type IncomingHttpHeaders } from 'node:http';
import { listenUntilTestEnds } from './listen.js';

export type Webhook = { rawBody: Buffer; headers: IncomingHttpHeaders };

export type WebhookReceiver = {
  url: string;
  received: Webhook[];
  /** Answers the next `times` requests with 500, but keeps them. */
  failNext(times: number): void;
  /** Keeps requests and never answers, until told otherwise. */
  hang(isHanging: boolean): void;
};

/** Keeps what is posted to it, until the test ends. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: Webhook[] = [];
  let failuresLeft = 0;
  let isHanging = false;
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ rawBody: Buffer.concat(chunks), headers: request.headers });
    if (isHanging) return;
    reply.statusCode = failuresLeft > 0 ? 500 : 200;
    failuresLeft -= 1;
    reply.end();
  });
  const port = await listenUntilTestEnds(server);
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    received,
    failNext(times) {
      failuresLeft = times;
    },
    hang(isHangingNow) {
      isHanging = isHangingNow;
    },
  };
}
