import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

export type WarmUpOptions = {
  /** In the name of the shop's own server, which no limit per shopper holds back. */
  apiKey: string;
  /** When to stop sending; 0 sends nothing. */
  durationMs: number;
};

// Few enough for any limit on requests in flight, many enough for several in one turn of the event loop.
const connections = 8;
const answerTimeoutMs = 2000;
// The last id that the API accepts: purchases of it pass every layer and find no product, so no sale sees them.
const noProduct = Number.MAX_SAFE_INTEGER;

/**
 * Sends purchases of a product that does not exist, over connections of its own, until V8 has compiled what a purchase
 * runs through. Without this, the first second of a process's first rush takes half as long again. The server need not
 * listen yet.
 *
 * @returns how many were answered.
 * @throws if one is not answered within 2 seconds.
 */
export async function warmUp(app: FastifyInstance, { apiKey, durationMs }: WarmUpOptions): Promise<number> {
  if (durationMs === 0) return 0;
  await app.ready();
  const server = createServer((incoming, response) => app.server.emit('request', incoming, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const stopsAtMs = performance.now() + durationMs;
  let count = 0;

  async function sendUntilEnd(): Promise<void> {
    while (performance.now() < stopsAtMs) {
      count += 1;
      const body = JSON.stringify({ productId: noProduct, userId: `warm-up-${count}`, quantity: 1 });
      const headers = {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'content-length': body.length,
        'idempotency-key': `warm-up-${count}`,
        // Not sampled, so that it leaves no trace.
        traceparent: '00-00000000000000000000000000000001-0000000000000001-00',
      };
      const sent = request({
        agent,
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/api/purchase',
        headers,
      });
      sent.setTimeout(answerTimeoutMs, () =>
        sent.destroy(new Error('a purchase to warm up was not answered')),
      );
      sent.end(body);
      const [answer] = await once(sent, 'response');
      await once(answer.resume(), 'end');
    }
  }

  try {
    await Promise.all(Array.from({ length: connections }, sendUntilEnd));
    return count;
  } finally {
    agent.destroy();
    server.close();
    server.closeAllConnections();
  }
}
