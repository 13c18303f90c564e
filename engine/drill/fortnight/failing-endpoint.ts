import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { portOf } from '../servers/port-of.js';
import type { Desk } from './desk.js';

/** Receives webhooks. Refuses one try in seven, and every try while it is down. */
export type FailingEndpoint = {
  port: number;
  hasHeardOf(orderId: string): boolean;
  setDown(isDown: boolean): void;
  /** Tries since the last call, and how many of them it refused. */
  takeCounts(): { tries: number; refused: number };
  close(): Promise<void>;
};

const eventSchema = z.object({ type: z.string(), data: z.looseObject({ orderId: z.string().optional() }) });
const failsEvery = 7;

export async function openFailingEndpoint({ shop, complain }: Desk): Promise<FailingEndpoint> {
  const heard = new Set<string>();
  const counts = { tries: 0, refused: 0 };
  let isDown = false;

  async function take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    counts.tries += 1;
    const sentAtMs = Number(request.headers['webhook-timestamp']) * 1000;
    // A webhook in flight when the clock jumps was signed before the jump.
    if (!shop.clock.wasNow(sentAtMs))
      complain(`a webhook says that it was sent at ${new Date(sentAtMs).toISOString()}`);
    if (isDown || counts.tries % failsEvery === 0) {
      counts.refused += 1;
      return 500;
    }
    const { type, data } = eventSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    if (type === 'order.confirmed') heard.add(data.orderId ?? '');
    return 204;
  }

  const server = createServer((request, response) => {
    void take(request).then(
      status => response.writeHead(status).end(),
      error => complain(`a webhook cannot be read: ${error}`),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: portOf(server.address()),
    hasHeardOf: orderId => heard.has(orderId),
    setDown(value) {
      isDown = value;
    },
    takeCounts() {
      const taken = { ...counts };
      counts.tries = 0;
      counts.refused = 0;
      return taken;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
