import { onlyRow } from '../platform/only-row.js';
import type { Queryable } from '../platform/postgres.js';

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;

export type Delivery = {
  deliveryId: number;
  endpointId: number;
  eventId: string;
  type: string;
  status: (typeof deliveryStatuses)[number];
  tries: number;
  dueAt: Date | null;
  triedAt: Date | null;
  lastStatus: number | null;
  lastError: string | null;
  createdAt: Date;
};

export type ListDeliveries = {
  endpointId: number;
  status: Delivery['status'] | undefined;
  before: number | undefined;
  limit: number;
};

/** Newest first. Index: webhook_deliveries_by_endpoint. */
export async function listDeliveries(
  db: Queryable,
  { endpointId, status, before, limit }: ListDeliveries,
): Promise<Delivery[]> {
  const { rows } = await db.query<Delivery>(
    `select ${columns} from webhook_deliveries d join webhook_events e using (event_id)
     where endpoint_id = $1 and ($2::text is null or status = $2) and ($3::bigint is null or delivery_id < $3)
     order by delivery_id desc limit $4`,
    [endpointId, status ?? null, before ?? null, limit],
  );
  return rows;
}

/** Sends a delivery again, whatever its status. @returns undefined if the endpoint has no such delivery. */
export async function replayDelivery(
  db: Queryable,
  endpointId: number,
  deliveryId: number,
): Promise<Delivery | undefined> {
  const { rows } = await db.query<Delivery>(
    `update webhook_deliveries d set ${asNew} from webhook_events e
     where e.event_id = d.event_id and endpoint_id = $1 and delivery_id = $2
     returning ${columns}`,
    [endpointId, deliveryId],
  );
  return rows[0];
}

// Half a second of work, under no lock that other transactions wait for; with more failures the operator asks again.
export const replaysMax = 10_000;

/** Sends deliveries again that have failed since then, oldest first. @returns how many; `replaysMax` may not be all. */
export async function replayFailedSince(db: Queryable, endpointId: number, since: Date): Promise<number> {
  const { rowCount } = await db.query(
    `update webhook_deliveries set ${asNew} where delivery_id in (
       select delivery_id from webhook_deliveries
       where endpoint_id = $1 and status = 'failed' and created_at >= $2
       order by delivery_id limit $3 for update skip locked)`,
    [endpointId, since, replaysMax],
  );
  return rowCount ?? 0;
}

const asNew = `status = 'pending', tries = 0, due_at = clock_timestamp(), last_error = null, last_status = null`;

/** Adds a test event for this endpoint only, to see whether it arrives. */
export async function addTestDelivery(db: Queryable, endpointId: number): Promise<Delivery> {
  const { rows } = await db.query<Delivery>(
    `with e as (
       insert into webhook_events (type, subject, at, data)
       values ('webhook.test', gen_random_uuid()::text, clock_timestamp(), jsonb_build_object('endpointId', $1::bigint))
       returning event_id, type
     ), d as (
       insert into webhook_deliveries (endpoint_id, event_id, due_at)
       select $1, event_id, clock_timestamp() from e returning *
     )
     select ${columns} from d join e using (event_id)`,
    [endpointId],
  );
  return onlyRow(rows, 'the test event');
}

const columns = `delivery_id as "deliveryId", endpoint_id as "endpointId", d.event_id as "eventId", type, status, tries,
  due_at as "dueAt", tried_at as "triedAt", last_status as "lastStatus", last_error as "lastError",
  d.created_at as "createdAt"`;
