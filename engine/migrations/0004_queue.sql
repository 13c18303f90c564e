-- The queue of the embedded default. A message is a hint that a QUEUED order is to be decided; the order itself is in
-- `orders`, so nothing here is the truth.
--
-- `available_at` is when anyone may take the message: for one that waits, when it was published; for one to be tried
-- again, when its delay ends; for one in hand (`leased_by` set), when its lease lapses. One index serves all three, and
-- a lapsed lease needs nobody to notice it.
create table queue_messages (
  message_id   bigint generated always as identity,
  order_id     uuid not null,
  sale_id      bigint not null,
  shopper_id   text not null,
  quantity     integer not null,
  force_fail   boolean not null default false,
  published_at timestamptz not null default clock_timestamp(),
  available_at timestamptz not null default clock_timestamp(),
  deliveries   integer not null default 0,
  leased_by    uuid,
  constraint queue_messages_pkey primary key (message_id),
  constraint queue_messages_deliveries_are_not_negative check (deliveries >= 0)
) with (
  -- Every row dies within seconds, so the share of dead rows says nothing: a fixed number does, and no pause while
  -- they are cleared, for the table that is left is small.
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_cost_delay = 0,
  -- Nor does any plan depend on statistics (fetch-messages.sql).
  autovacuum_analyze_threshold = 1000000
);

create index queue_messages_by_availability on queue_messages (available_at);
