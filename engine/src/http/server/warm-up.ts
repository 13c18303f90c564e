import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Purchases that a starting API sends itself, before it listens. */
export type WarmUp = {
  /** Whether requests are its own. They are not counted, traced or logged as slow. */
  isUnderWay(): boolean;
  /**
   * Sends purchases of a product that does not exist, over connections of its own, so that V8 compiles the HTTP layers up
   * to the look-up of the product (docs/decisions/0005).
   *
   * @returns how many were answered.
   * @throws if one is not answered within 2 seconds, or in any other way than that the product does not exist.
   */
  run(app: FastifyInstance, options: WarmUpOptions): Promise<number>;
};

type WarmUpOptions = {
  /** Sent with the purchases. By default, calls with an API key have no limits per shopper. */
  apiKey: string;
  /** When to stop sending. */
  durationMs: number;
  connections: number;
};

const answerTimeoutMs = 2000;
// The last id that the API accepts. No product will ever have it, so no sale sees these purchases.
const noProduct = Number.MAX_SAFE_INTEGER;

export function createWarmUp(): WarmUp {
  let isUnderWay = false;
  return {
    isUnderWay: () => isUnderWay,
    async run(app, options) {
      await app.ready();
      isUnderWay = true;
      const server = createServer((incoming, response) => app.server.emit('request', incoming, response));
      const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
      try {
        const port = await listenAlone(server);
        return await sendPurchases(agent, port, options);
      } finally {
        isUnderWay = false;
        agent.destroy();
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** The processes of one API share their sockets; this one is the process's own. */
async function listenAlone(server: Server): Promise<number> {
  server.listen({ host: '127.0.0.1', port: 0, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the warm-up listens on no port');
  return address.port;
}

async function sendPurchases(
  agent: Agent,
  port: number,
  { apiKey, durationMs, connections }: WarmUpOptions,
): Promise<number> {
  const stopsAtMs = performance.now() + durationMs;
  // Random, because the processes of a shop may count a shopper's purchases together.
  const shopper = `warm-up-${randomUUID()}`;
  let count = 0;

  async function sendUntilEnd(): Promise<void> {
    while (performance.now() < stopsAtMs) {
      count += 1;
      const id = `${shopper}-${count}`;
      const body = JSON.stringify({ productId: noProduct, userId: id, quantity: 1 });
      const headers = {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'content-length': body.length,
        'idempotency-key': id,
      };
      const status = await send(agent, port, headers, body);
      if (status !== 404) throw new Error(`a purchase of the warm-up was answered with ${status}`);
    }
  }

  await Promise.all(Array.from({ length: connections }, sendUntilEnd));
  return count;
}

function send(
  agent: Agent,
  port: number,
  headers: Record<string, string | number>,
  body: string,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/api/purchase', headers });
    sent.setTimeout(answerTimeoutMs, () =>
      sent.destroy(new Error('a purchase of the warm-up was not answered')),
    );
    sent.on('error', reject);
    sent.on('response', (answer: IncomingMessage) => {
      answer.on('end', () => resolve(answer.statusCode)).resume();
    });
    sent.end(body);
  });
}
