import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { portOf } from '../servers/fault-proxy.js';
import { findFreePort } from '../servers/free-port.js';
import { type Actor, type Desk, isMorning } from './desk.js';

export type Receiver = Actor & {
  /** Tries answered since the last call, and how many of them were refused. */
  takeCounts(): { tries: number; refused: number };
  close(): Promise<void>;
};

const eventSchema = z.object({ type: z.string(), data: z.looseObject({ orderId: z.string().optional() }) });
const endpointSchema = z.object({ id: z.number(), status: z.string() });
const allEvents = ['order.confirmed', 'order.refunded', 'sale.opened', 'sale.sold_out'];

// From six to ten in the morning every try fails; at other times one in seven.
const outage = { from: 6, to: 10 };
const failsEvery = 7;
// Retries are an hour apart at most, and by then at least half an hour. One step's sweep leaves those of the next step.
const deliveredWithinHours = 3;

/**
 * Subscribes to all events and fails for hours each day. A second receiver never answers and is disabled after a day.
 */
export async function openReceiver(desk: Desk): Promise<Receiver> {
  const { shop, expect, complain } = desk;
  const heard = new Set<string>();
  const counts = { tries: 0, refused: 0 };
  let isDown = false;

  async function take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    counts.tries += 1;
    const sentAtMs = Number(request.headers['webhook-timestamp']) * 1000;
    // A webhook that is in flight when the clock jumps was signed before the jump.
    if (!shop.clock.wasNow(sentAtMs))
      complain(`a webhook carries the wrong send time ${new Date(sentAtMs).toISOString()}`);
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
  const attentive = await hear(desk, portOf(server.address()), allEvents);
  const silent = await hear(desk, await findFreePort(), ['sale.opened']);

  async function lookAtSilent(hour: number): Promise<void> {
    const path = `/api/admin/webhooks/${silent}`;
    const { status } = endpointSchema.parse((await shop.call('GET', path)).body);
    // Its first delivery failed within the first two steps.
    if (hour % 48 === 36 && status !== 'disabled')
      complain('a webhook that has failed for a day is not disabled');
    if (hour % 48 === 0 && hour > 0)
      expect('a webhook is enabled again', await shop.call('PATCH', path, { body: { enabled: true } }), 200);
  }

  async function lookForMissing(): Promise<void> {
    const now = shop.clock.now().getTime();
    // Within a day, a webhook whose tries have all failed is late rather than lost, as long as another try is
    // scheduled.
    const { rows } = await shop.pool.query<{ orderId: string; delivery: string }>(
      `select j.order_id as "orderId", coalesce(d.status || ' after ' || d.tries || ' tries', 'no delivery') as delivery
       from journal j
       left join webhook_events v on v.subject = j.order_id::text and v.type = 'order.confirmed'
       left join webhook_deliveries d on d.event_id = v.event_id and d.endpoint_id = $3
       where j.to_status = 'CONFIRMED' and j.at > $1 and j.at < $2
         and not coalesce(d.status = 'pending' and d.due_at > clock_timestamp() and j.at > $4, false)`,
      [
        new Date(now - 30 * hourMs),
        new Date(now - deliveredWithinHours * hourMs),
        attentive,
        new Date(now - 24 * hourMs),
      ],
    );
    const missing = rows.filter(({ orderId }) => !heard.has(orderId));
    if (missing.length > 0) {
      const [{ orderId, delivery } = { orderId: '', delivery: '' }] = missing;
      complain(
        `${missing.length} confirmed orders have no delivered webhook, such as ${orderId}: ${delivery}`,
      );
    }
  }

  return {
    async act(hour) {
      isDown = hour % 24 >= outage.from && hour % 24 < outage.to;
      await lookAtSilent(hour);
      if (isMorning(hour)) await lookForMissing();
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

const hourMs = 3_600_000;

/** @returns the id of the webhook. */
async function hear({ shop, expect }: Desk, port: number, events: readonly string[]): Promise<number> {
  const body = { url: `http://127.0.0.1:${port}/`, events };
  const created = await shop.call('POST', '/api/admin/webhooks', { body });
  expect('a webhook', created, 201);
  return endpointSchema.parse(created.body).id;
}
