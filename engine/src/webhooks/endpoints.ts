import { onlyRow } from '../platform/only-row.js';
import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import type { Seal } from './seal.js';
import { newWebhookSecret } from './sign.js';

export const webhookEventTypes = [
  'order.confirmed',
  'order.refunded',
  'sale.opened',
  'sale.sold_out',
] as const;
type WebhookEventType = (typeof webhookEventTypes)[number];

export type Endpoint = {
  endpointId: number;
  url: string;
  description: string;
  events: WebhookEventType[];
  status: 'enabled' | 'disabled';
  /** `by-operator`, `failing` (for too long), or `gone` (the receiver answered 410). */
  disabledReason: 'by-operator' | 'failing' | 'gone' | null;
  failingSince: Date | null;
  /** Until when the previous secret also signs. */
  formerSecretUntil: Date | null;
  createdAt: Date;
};

// Each endpoint has its own loop, and every event is written once per endpoint. An operator who needs more should use a hub.
export const endpointsMax = 20;

export type NewEndpoint = Pick<Endpoint, 'url' | 'description' | 'events'>;

/** @returns the endpoint with its secret, which is never shown again; undefined if the limit of endpoints is reached. */
export async function createEndpoint(
  pool: Pool,
  seal: Seal,
  { url, description, events }: NewEndpoint,
): Promise<{ endpoint: Endpoint; secret: string } | undefined> {
  const secret = newWebhookSecret();
  return inTransaction(pool, async tx => {
    const count = await lockEndpoints(tx);
    if (count >= endpointsMax) return undefined;
    if (count === 0) await beginAtNow(tx);
    const { rows } = await tx.query<Endpoint>(
      `insert into webhook_endpoints (url, description, events, secret) values ($1, $2, $3, $4) returning ${columns}`,
      [url, description, events, seal.seal(secret)],
    );
    return { endpoint: onlyRow(rows, 'the new endpoint'), secret };
  });
}

/** Serialises the creation of endpoints and the relay. @returns how many endpoints there are. */
async function lockEndpoints(tx: Client): Promise<number> {
  await tx.query('select from webhook_cursor for update');
  const { rows } = await tx.query<{ count: number }>(
    `select count(*) from webhook_endpoints where status <> 'deleted'`,
  );
  return rows[0]?.count ?? 0;
}

/** There was no endpoint until now, so earlier changes need not be read. */
async function beginAtNow(tx: Client): Promise<void> {
  await tx.query(
    `update webhook_cursor set below = pg_snapshot_xmin(s), since = now(), mark = pg_snapshot_xmax(s), mark_at = now()
     from pg_current_snapshot() s`,
  );
}

export async function listEndpoints(db: Queryable): Promise<Endpoint[]> {
  const { rows } = await db.query<Endpoint>(
    `select ${columns} from webhook_endpoints where status <> 'deleted' order by endpoint_id`,
  );
  return rows;
}

export async function readEndpoint(db: Queryable, endpointId: number): Promise<Endpoint | undefined> {
  const { rows } = await db.query<Endpoint>(
    `select ${columns} from webhook_endpoints where endpoint_id = $1 and status <> 'deleted'`,
    [endpointId],
  );
  return rows[0];
}

export type EndpointChange = Partial<NewEndpoint> & { enabled?: boolean };

/** Enabling an endpoint again resets its failures; the deliveries that waited are sent. */
export async function changeEndpoint(
  db: Queryable,
  endpointId: number,
  { url, description, events, enabled }: EndpointChange,
): Promise<Endpoint | undefined> {
  const { rows } = await db.query<Endpoint>(
    `update webhook_endpoints
     set url = coalesce($2, url), description = coalesce($3, description), events = coalesce($4, events),
         status = case when $5 then 'enabled' when not $5 then 'disabled' else status end,
         disabled_reason = case when $5 then null when not $5 then coalesce(disabled_reason, 'by-operator')
                                else disabled_reason end,
         failing_since = case when $5 then null else failing_since end
     where endpoint_id = $1 and status <> 'deleted'
     returning ${columns}`,
    [endpointId, url ?? null, description ?? null, events ?? null, enabled ?? null],
  );
  return rows[0];
}

/** Takes effect at once for operators and senders; the sweep deletes its deliveries in steps. */
export async function deleteEndpoint(db: Queryable, endpointId: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update webhook_endpoints
     set status = 'deleted', disabled_reason = null, secret = '', former_secret = null, former_secret_until = null
     where endpoint_id = $1 and status <> 'deleted'`,
    [endpointId],
  );
  return rowCount === 1;
}

/** The previous secret also signs for `overlapSeconds`, so that the receiver has time to change over. */
export async function rotateSecret(
  db: Queryable,
  seal: Seal,
  endpointId: number,
  overlapSeconds: number,
): Promise<{ endpoint: Endpoint; secret: string } | undefined> {
  const secret = newWebhookSecret();
  const { rows } = await db.query<Endpoint>(
    `update webhook_endpoints
     set former_secret = secret, former_secret_until = clock_timestamp() + make_interval(secs => $3), secret = $2
     where endpoint_id = $1 and status <> 'deleted'
     returning ${columns}`,
    [endpointId, seal.seal(secret), overlapSeconds],
  );
  const [endpoint] = rows;
  return endpoint && { endpoint, secret };
}

const columns = `endpoint_id as "endpointId", url, description, events, status, disabled_reason as "disabledReason",
  failing_since as "failingSince", created_at as "createdAt",
  case when former_secret_until > clock_timestamp() then former_secret_until end as "formerSecretUntil"`;
