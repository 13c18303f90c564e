import { connect, createServer, type Socket } from 'node:net';
import { inject, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type ApiOptions, createApi, createBuyer } from '../../src/index.js';
import { apiKey } from './shop.js';

let shoppers = 0;
const portSchema = z.object({ port: z.number() });

/** The answer that replaces the engine's after the engine has done its work. A status comes as a problem. */
export type Spoilt = 'nothing' | { status: number; slug: string };

/**
 * A new shopper who buys through the shop's API key, with the requests sent for them.
 *
 * @param spoilt the answers to the first requests.
 */
export function createShopper(baseUrl: string = inject('shopUrl'), spoilt: readonly Spoilt[] = []) {
  const userId = `client-test-${++shoppers}`;
  const { buyer, api, sent } = createCounted(baseUrl, { authorization: `Bearer ${apiKey}` }, spoilt);
  const mine = { params: { header: { 'x-user-id': userId } } };
  return { userId, buyer, sent, orders: async () => (await api.GET('/api/orders', mine)).data?.orders };
}

/** A guest with a demo session, to whom a shopper's limits apply. */
export async function createGuest() {
  const { data } = await createApi({ baseUrl: inject('shopUrl') }).POST('/api/session');
  return createCounted(inject('shopUrl'), { authorization: `Bearer ${data?.token}` });
}

function createCounted(
  baseUrl: string,
  headers: NonNullable<ApiOptions['headers']>,
  spoilt: readonly Spoilt[] = [],
) {
  const sent: { atMs: number; retryAfter: string | null }[] = [];
  const api = createApi({
    baseUrl,
    headers,
    async fetch(request) {
      const atMs = performance.now();
      const response = await fetch(request);
      const instead = spoilt[sent.length];
      sent.push({ atMs, retryAfter: response.headers.get('retry-after') });
      if (instead === 'nothing') throw new TypeError('the connection was cut');
      if (!instead) return response;
      const { status, slug } = instead;
      return Response.json({ type: `/problems/${slug}`, status, message: slug }, { status });
    },
  });
  return { api, buyer: createBuyer(api), sent };
}

/**
 * A proxy to the shop that cuts the connection of the first `cuts` requests while the answer is on its way: the shop
 * has done its work, and the client does not know.
 */
export async function startCuttingProxy(cuts: number): Promise<{ url: string; cutSoFar: () => number }> {
  const { hostname, port } = new URL(inject('shopUrl'));
  const sockets = new Set<Socket>();
  let cut = 0;
  const server = createServer(near => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.on('data', chunk => {
      if (cut >= cuts) return near.write(chunk);
      cut += 1;
      near.destroy();
      return far.destroy();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${portSchema.parse(server.address()).port}`, cutSoFar: () => cut };
}
