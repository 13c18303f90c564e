import { inTransaction, type Pool, type Queryable } from '../platform/postgres.js';

/** A leased delivery, with everything needed to send it. */
export type Claimed = {
  deliveryId: number;
  endpointId: number;
  tries: number;
  eventId: string;
  type: string;
  at: Date;
  data: unknown;
  url: string;
  secret: string;
  formerSecret: string | null;
};

/** Endpoints with due deliveries, without those in `except`. Index: webhook_deliveries_due. */
export async function findDueEndpoints(db: Queryable, except: readonly number[]): Promise<number[]> {
  const { rows } = await db.query<{ endpointId: number }>({
    name: 'due-webhook-endpoints',
    text: `
      select endpoint_id as "endpointId" from webhook_endpoints e
      where status = 'enabled' and endpoint_id <> all ($1) and exists (
        select from webhook_deliveries d
        where d.endpoint_id = e.endpoint_id and d.status = 'pending' and d.due_at <= clock_timestamp())`,
    values: [except],
  });
  return rows.map(({ endpointId }) => endpointId);
}

/**
 * Leases the longest due deliveries for `leaseMs`. If the process dies, another one sends them after that. Two concurrent
 * calls get different deliveries. Index: webhook_deliveries_due.
 */
export async function claimDeliveries(
  db: Queryable,
  { endpointId, limit, leaseMs }: { endpointId: number; limit: number; leaseMs: number },
): Promise<Claimed[]> {
  const { rows } = await db.query<Claimed>({
    name: 'claim-webhooks',
    text: `
      with due as (
        select d.delivery_id, e.url, e.secret,
               case when e.former_secret_until > clock_timestamp() then e.former_secret end as former_secret
        from webhook_deliveries d join webhook_endpoints e using (endpoint_id)
        where d.endpoint_id = $1 and d.status = 'pending' and d.due_at <= clock_timestamp() and e.status = 'enabled'
        order by d.due_at limit $2 for update of d skip locked
      ), claimed as (
        update webhook_deliveries d
        set tries = tries + 1, tried_at = clock_timestamp(), due_at = clock_timestamp() + $3 * interval '1 ms'
        from due where d.delivery_id = due.delivery_id
        returning d.delivery_id, d.endpoint_id, d.event_id, d.tries, url, secret, former_secret
      )
      select delivery_id as "deliveryId", endpoint_id as "endpointId", tries, event_id as "eventId", type, at, data, url,
             secret, former_secret as "formerSecret"
      from claimed join webhook_events using (event_id)`,
    values: [endpointId, limit, leaseMs],
  });
  return rows;
}

export type Result =
  | { outcome: 'delivered'; status: number }
  | { outcome: 'failed'; status: number | null; error: string; retryAfterMs: number; isGone: boolean };

export type RetryRules = {
  triesMax: number;
  retryBaseMs: number;
  retryMaxMs: number;
  /** An endpoint without any success for this long is disabled. */
  disableAfterMs: number;
};

/**
 * Stores the result of a try. If the lease has lapsed and another process has taken the delivery since, that process settles
 * it. Locks: the delivery, then its endpoint.
 *
 * @returns whether this disabled the endpoint.
 */
export async function settleDelivery(
  pool: Pool,
  { deliveryId, endpointId, tries }: Claimed,
  result: Result,
  rules: RetryRules,
): Promise<boolean> {
  if (result.outcome === 'delivered') {
    // One statement, which does not write the endpoint's row while all is well.
    await pool.query({
      name: 'webhook-delivered',
      text: `
        with d as (
          update webhook_deliveries set status = 'delivered', due_at = null, last_status = $4, last_error = null
          where delivery_id = $1 and tries = $3 and status = 'pending'
        )
        update webhook_endpoints set failing_since = null where endpoint_id = $2 and failing_since is not null`,
      values: [deliveryId, endpointId, tries, result.status],
    });
    return false;
  }
  return inTransaction(pool, async tx => {
    await tx.query({
      name: 'webhook-failed',
      text: `
        update webhook_deliveries
        set last_status = $3, last_error = $4,
            status = case when tries >= $5 then 'failed' else 'pending' end,
            -- Half of the pause is random, so that deliveries that failed together are not retried together.
            due_at = case when tries < $5 then clock_timestamp() + interval '1 ms' * greatest(
              $6::float8, least($8::float8, $7 * 2.0 ^ (tries - 1)) * (0.5 + random() / 2)) end
        where delivery_id = $1 and tries = $2 and status = 'pending'`,
      values: [
        ...[deliveryId, tries, result.status, result.error],
        ...[
          rules.triesMax,
          Math.min(result.retryAfterMs, rules.retryMaxMs),
          rules.retryBaseMs,
          rules.retryMaxMs,
        ],
      ],
    });
    const { rows } = await tx.query<{ isDisabled: boolean }>({
      name: 'webhook-endpoint-failed',
      text: `
        update webhook_endpoints e
        set failing_since = coalesce(failing_since, clock_timestamp()),
            status = case when fails_for_good then 'disabled' else status end,
            disabled_reason = case when $2 then 'gone' when fails_for_good then 'failing' end
        from (select $2 or coalesce(failing_since < clock_timestamp() - $3 * interval '1 ms', false) as fails_for_good
              from webhook_endpoints where endpoint_id = $1) as judged
        where endpoint_id = $1 and status = 'enabled'
        returning fails_for_good as "isDisabled"`,
      values: [endpointId, result.isGone, rules.disableAfterMs],
    });
    return rows[0]?.isDisabled ?? false;
  });
}
