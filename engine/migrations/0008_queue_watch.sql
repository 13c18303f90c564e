-- What is known of a queue that is not in this database, for the audit: whether an order that nobody has decided yet may
-- still wait in it.
create table queue_watch (
  is_only     boolean not null default true,
  waits_since timestamptz not null, -- an order accepted later may wait in the queue; one accepted earlier is told again
  seen_at     timestamptz not null,
  constraint queue_watch_pkey primary key (is_only),
  constraint queue_watch_has_one_row check (is_only)
);
