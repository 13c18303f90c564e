import { z } from 'zod';
import { findFreePort } from '../servers/free-port.js';
import { type Actor, type Desk, isMorning } from './desk.js';
import { type FailingEndpoint, openFailingEndpoint } from './failing-endpoint.js';

export type Receiver = Actor & Pick<FailingEndpoint, 'takeCounts' | 'close'>;

const endpointSchema = z.object({ id: z.number(), status: z.string() });
const allEvents = ['order.confirmed', 'order.refunded', 'sale.opened', 'sale.sold_out'];

// From six to ten in the morning the endpoint is down.
const outage = { from: 6, to: 10 };
// By then, retries are 30 to 60 minutes apart, and the sweep of one step leaves later retries to the next.
const deliveredWithinHours = 3;

/**
 * Subscribes to all events and fails for hours each day. A second receiver never answers and is disabled after a day.
 */
export async function openReceiver(desk: Desk): Promise<Receiver> {
  const { shop, expect, complain } = desk;
  const endpoint = await openFailingEndpoint(desk);
  const attentive = await hear(desk, endpoint.port, allEvents);
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
    const missing = rows.filter(({ orderId }) => !endpoint.hasHeardOf(orderId));
    if (missing.length > 0) {
      const [{ orderId, delivery } = { orderId: '', delivery: '' }] = missing;
      complain(
        `${missing.length} confirmed orders have no delivered webhook, such as ${orderId}: ${delivery}`,
      );
    }
  }

  return {
    async act(hour) {
      endpoint.setDown(hour % 24 >= outage.from && hour % 24 < outage.to);
      await lookAtSilent(hour);
      if (isMorning(hour)) await lookForMissing();
    },
    takeCounts: endpoint.takeCounts,
    close: endpoint.close,
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
