-- Webhooks that go out: who hears of what, what is to be told, and how far the journals have been read.

-- The relay finds what is new in the journals by it (docs/decisions/0026). A block range index, since rows come in the order
-- of time: a purchase writes nothing into it until its pages are summarised, in the background.
create index journal_by_time on journal using brin (at) with (pages_per_range = 32, autosummarize = on);
create index sale_journal_by_time on sale_journal using brin (at) with (pages_per_range = 8, autosummarize = on);

create table webhook_endpoints (
  endpoint_id         bigint generated always as identity,
  url                 text not null,
  description         text not null,
  events              text[] not null,
  secret              text not null, -- sealed with SECRET_KEY
  former_secret       text,          -- signs as well, until it ends
  former_secret_until timestamptz,
  status              text not null default 'enabled',
  disabled_reason     text,
  failing_since       timestamptz,   -- of the first failure that no success has followed
  created_at          timestamptz not null default clock_timestamp(),
  constraint webhook_endpoints_pkey primary key (endpoint_id),
  constraint webhook_endpoints_url_is_bounded check (length(url) between 1 and 2000),
  constraint webhook_endpoints_description_is_bounded check (length(description) <= 200),
  -- DELETED: its deliveries are many, and go in steps before it.
  constraint webhook_endpoints_status_is_known check (status in ('enabled', 'disabled', 'deleted')),
  constraint webhook_endpoints_disabled_has_a_reason check ((disabled_reason is not null) = (status = 'disabled')),
  constraint webhook_endpoints_former_secret_ends check ((former_secret is null) = (former_secret_until is null))
);

-- What is told, once for all who hear it, with the text that is signed. `position` counts them, for retention.
create table webhook_events (
  event_id   uuid not null default gen_random_uuid(),
  position   bigint generated always as identity,
  type       text not null,
  subject    text not null, -- the order or the sale; each has an event of a type once
  at         timestamptz not null,
  data       jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint webhook_events_pkey primary key (event_id),
  constraint webhook_events_once unique (type, subject)
);
create unique index webhook_events_by_position on webhook_events (position);

create table webhook_deliveries (
  delivery_id  bigint generated always as identity,
  endpoint_id  bigint not null,
  event_id     uuid not null,
  status       text not null default 'pending',
  tries        integer not null default 0,
  due_at       timestamptz, -- of one that waits: when it is sent; of one in hand: when whoever has it is taken for dead
  tried_at     timestamptz,
  last_status  integer,     -- of the last answer, if there was one
  last_error   text,
  created_at   timestamptz not null default clock_timestamp(),
  constraint webhook_deliveries_pkey primary key (delivery_id),
  constraint webhook_deliveries_once unique (event_id, endpoint_id),
  constraint webhook_deliveries_event_exists foreign key (event_id)
    references webhook_events (event_id) on delete cascade,
  constraint webhook_deliveries_endpoint_exists foreign key (endpoint_id) references webhook_endpoints (endpoint_id),
  constraint webhook_deliveries_status_is_known check (status in ('pending', 'delivered', 'failed')),
  constraint webhook_deliveries_pending_are_due check ((due_at is not null) = (status = 'pending')),
  constraint webhook_deliveries_tries_are_not_negative check (tries >= 0)
);
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, due_at) where status = 'pending';
create index webhook_deliveries_by_endpoint on webhook_deliveries (endpoint_id, delivery_id);

-- How far the journals have been read. Of transactions below `below` everything was; of those from `below` on nothing was,
-- and no row of theirs is from before `since`. `mark` is a later number that the same holds for from `mark_at` on, once
-- everything below it has been read.
create table webhook_cursor (
  is_only boolean not null default true,
  below   xid8 not null,
  since   timestamptz not null,
  mark    xid8 not null,
  mark_at timestamptz not null,
  constraint webhook_cursor_pkey primary key (is_only),
  constraint webhook_cursor_is_one_row check (is_only)
);
insert into webhook_cursor (below, since, mark, mark_at)
select pg_snapshot_xmin(s), now(), pg_snapshot_xmax(s), now() from pg_current_snapshot() s;
