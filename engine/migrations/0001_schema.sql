-- The data model, from top to bottom: the catalogue, the stock of a sale, orders, payments, the queue, attempts, sums,
-- sequential ids, operators, webhooks, rehearsals. It is one file, so that a reader sees how the tables hang together.
--
-- Money is an integer number of minor units. Every time is the database's clock. Each table that a purchase writes leads
-- with the sale's id, so that sales can be spread over servers (docs/scale.md). Rules about one row are named constraints
-- here. Rules that span rows are kept by the ledger's functions (engine/src/ledger/*.sql) and proved by `doorbuster audit`.


-- Catalogue

-- What the shop sells. A new sale copies the price and currency, so changing them here never changes a sale that exists.
create table products (
  product_id   bigint generated always as identity,
  name         text not null,
  description  text not null default '',
  image_url    text,
  price_minor  bigint not null,
  currency     text not null,
  is_rehearsal boolean not null default false, -- made for a rehearsal: not listed in the shop, not counted as revenue
  created_at   timestamptz not null default clock_timestamp(),
  constraint products_pkey primary key (product_id),
  constraint products_name_is_bounded check (length(name) between 1 and 200),
  constraint products_description_is_bounded check (length(description) <= 10000),
  -- 10^9 minor units times the largest quantity (100,000) stays below 2^53, so a total is exact in JSON readers too.
  constraint products_price_is_bounded check (price_minor between 0 and 1000000000),
  constraint products_currency_is_a_code check (currency ~ '^[A-Z]{3}$')
);

-- A sale that repeats. Each start that the cron pattern names in the time zone becomes a sale of its own on these terms.
create table sale_series (
  series_id         bigint generated always as identity,
  product_id        bigint not null,
  cron              text not null,
  time_zone         text not null,
  duration_seconds  integer not null,
  allocation        integer not null,
  per_user_limit    integer not null,
  per_payment_limit integer,
  per_address_limit integer,
  hold_ttl_seconds  integer not null,
  payment           text not null,
  prize_odds        integer,
  status            text not null default 'active',
  planned_until     timestamptz not null, -- start of the last window that was planned, or skipped because it overlapped
  created_at        timestamptz not null default clock_timestamp(),
  constraint sale_series_pkey primary key (series_id),
  constraint sale_series_product_exists foreign key (product_id) references products (product_id),
  constraint sale_series_cron_is_bounded check (length(cron) between 9 and 100),
  constraint sale_series_time_zone_is_bounded check (length(time_zone) between 1 and 64),
  constraint sale_series_duration_is_positive check (duration_seconds > 0),
  constraint sale_series_allocation_is_positive check (allocation > 0),
  constraint sale_series_limit_is_bounded check (per_user_limit between 1 and 100000),
  constraint sale_series_payment_limit_is_bounded check (per_payment_limit between 1 and 100000),
  constraint sale_series_address_limit_is_bounded check (per_address_limit between 1 and 100000),
  constraint sale_series_hold_ttl_is_bounded check (hold_ttl_seconds between 1 and 86400),
  constraint sale_series_payment_is_known check (payment in ('none', 'required')),
  constraint sale_series_prize_odds_are_bounded check (prize_odds between 1 and 1000000),
  constraint sale_series_status_is_known check (status in ('active', 'ended'))
);
create index sale_series_active on sale_series (series_id) where status = 'active';

-- One window in which a product is sold, with its price, limits and terms. Its units are counted in `stock`.
create table sales (
  sale_id           bigint generated always as identity,
  product_id        bigint not null,
  series_id         bigint, -- null for a sale that does not repeat
  starts_at         timestamptz not null,
  ends_at           timestamptz not null,
  status            text not null default 'active',
  price_minor       bigint not null,
  currency          text not null,
  payment           text not null default 'none',
  hold_ttl_seconds  integer not null default 900,
  per_user_limit    integer not null,
  per_payment_limit integer, -- units per payment fingerprint; null: not limited
  per_address_limit integer, -- units per address; null: not limited
  prize_odds        integer, -- one confirmed order in prize_odds wins; null: no prize
  challenge         integer, -- how many numbers the shopper's browser tries at most; null: no challenge
  requires_token    boolean not null default false,
  created_at        timestamptz not null default clock_timestamp(),
  opened_at         timestamptz, -- when the scheduler announced that the window had begun
  closed_at         timestamptz, -- when it announced that the window was over
  constraint sales_pkey primary key (sale_id),
  constraint sales_product_exists foreign key (product_id) references products (product_id),
  constraint sales_series_exists foreign key (series_id) references sale_series (series_id),
  constraint sales_status_is_known check (status in ('active', 'paused', 'ended')),
  constraint sales_window_is_not_empty check (starts_at < ends_at),
  constraint sales_price_is_bounded check (price_minor between 0 and 1000000000),
  constraint sales_currency_is_a_code check (currency ~ '^[A-Z]{3}$'),
  constraint sales_payment_is_known check (payment in ('none', 'required')),
  constraint sales_hold_ttl_is_bounded check (hold_ttl_seconds between 1 and 86400),
  constraint sales_limit_is_bounded check (per_user_limit between 1 and 100000),
  constraint sales_payment_limit_is_bounded check (per_payment_limit between 1 and 100000),
  constraint sales_address_limit_is_bounded check (per_address_limit between 1 and 100000),
  constraint sales_prize_odds_are_bounded check (prize_odds between 1 and 1000000),
  constraint sales_challenge_is_bounded check (challenge between 1000 and 10000000),
  -- A one-element range stands in for "product_id with =": GiST compares ranges without the btree_gist extension,
  -- which a hosted PostgreSQL may not let us create. A sale that is ended early frees its window.
  constraint sales_do_not_overlap exclude using gist (
    int8range(product_id, product_id, '[]') with &&,
    tstzrange(starts_at, ends_at) with &&
  ) where (status <> 'ended')
);
create index sales_by_product on sales (product_id, starts_at);
-- Two planners make one sale of a start.
create unique index sales_one_per_start on sales (series_id, starts_at) where series_id is not null;
-- What is left to announce, looked for four times a second. A sale that was announced and is over is in neither index.
create index sales_to_open on sales (starts_at) where opened_at is null and status <> 'ended';
create index sales_to_close on sales (ends_at) where status <> 'ended';

-- Append-only: one change of a sale's status.
create table sale_journal (
  sale_id     bigint not null,
  seq         integer not null,
  from_status text not null,
  to_status   text not null,
  at          timestamptz not null default clock_timestamp(),
  constraint sale_journal_pkey primary key (sale_id, seq),
  constraint sale_journal_sale_exists foreign key (sale_id) references sales (sale_id)
);
-- The webhook relay finds what is new by time (docs/decisions/0026).
create index sale_journal_by_time on sale_journal using brin (at) with (pages_per_range = 8, autosummarize = on);


-- The stock of a sale, and who has taken how much of it

-- The counters of a sale: the hot row, whose lock orders all decisions of that sale. Each batch updates it once, and
-- fillfactor leaves room for those versions on its own page.
create table stock (
  sale_id    bigint not null,
  allocation integer not null,
  available  integer not null,
  reserved   integer not null default 0,
  sold       integer not null default 0,
  version    bigint not null default 0,
  constraint stock_pkey primary key (sale_id),
  constraint stock_sale_exists foreign key (sale_id) references sales (sale_id),
  constraint stock_is_conserved check (allocation = available + reserved + sold),
  constraint stock_available_is_not_negative check (available >= 0),
  constraint stock_reserved_is_not_negative check (reserved >= 0),
  constraint stock_sold_is_not_negative check (sold >= 0)
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- No table below has a foreign key to sales if a purchase writes it: the ledger writes these rows under the lock of the
-- sale's stock row, and a check per row would be paid on the hot path (docs/decisions/0004). The audit looks for orphans.

-- What one shopper holds or has bought in a sale; the limit per shopper is checked against it under the stock lock.
create table allowances (
  sale_id    bigint not null,
  shopper_id text not null,
  units      integer not null,
  declines   integer not null default 0, -- declined payments: a shopper who tries stolen cards gets a few tries
  constraint allowances_pkey primary key (sale_id, shopper_id),
  constraint allowances_units_are_not_negative check (units >= 0),
  constraint allowances_declines_are_not_negative check (declines >= 0)
);

-- Units held or bought in a sale under one payment fingerprint or address, of which a keyed digest is stored. It is a table
-- of its own because most sales have no such limit: they neither read nor write it.
create table digest_allowances (
  sale_id bigint not null,
  kind    text not null,
  digest  text not null,
  units   integer not null,
  constraint digest_allowances_pkey primary key (sale_id, kind, digest),
  constraint digest_allowances_kind_is_known check (kind in ('payment', 'address')),
  constraint digest_allowances_units_are_not_negative check (units >= 0)
);

-- A challenge that a shopper's browser solved, and the intent (shopper, Idempotency-Key) that used it. The row is kept
-- until the challenge would be refused for its age.
create table spent_challenges (
  sale_id    bigint not null,
  challenge  text not null,
  order_id   uuid not null, -- stands for the intent
  expires_at timestamptz not null,
  constraint spent_challenges_pkey primary key (sale_id, challenge)
);
create index spent_challenges_by_age on spent_challenges (expires_at);


-- Orders

-- The life of an order as data: a change of status that is not listed here never happens. NEW stands for "did not exist".
create table order_transitions (
  from_status text not null,
  to_status   text not null,
  constraint order_transitions_pkey primary key (from_status, to_status)
);
insert into order_transitions (from_status, to_status) values
  ('NEW', 'QUEUED'),
  ('NEW', 'RESERVED'),
  ('NEW', 'CONFIRMED'),
  ('QUEUED', 'RESERVED'),
  ('QUEUED', 'CONFIRMED'),
  ('QUEUED', 'REJECTED'),
  ('QUEUED', 'CANCELLED'),
  ('QUEUED', 'FAILED'),
  ('RESERVED', 'CONFIRMED'),
  ('RESERVED', 'EXPIRED'),
  ('RESERVED', 'CANCELLED'),
  ('RESERVED', 'FAILED'),
  -- The money came after the hold had ended: units were left, or the money went back.
  ('EXPIRED', 'CONFIRMED'),
  ('EXPIRED', 'REFUNDED'),
  ('CANCELLED', 'REFUNDED'),
  ('FAILED', 'REFUNDED'),
  -- An operator replays a dead letter.
  ('FAILED', 'QUEUED');

-- What a shopper asked for and was granted, or waits for in the queue. A refused direct purchase makes no order; it is an
-- attempt alone.
create table orders (
  sale_id        bigint not null,
  order_id       uuid not null,
  shopper_id     text not null,
  quantity       integer not null,
  price_minor    bigint not null,
  total_minor    bigint not null,
  status         text not null,
  created_at     timestamptz not null,
  entrance       text not null default 'direct', -- which way the shopper bought
  seq            smallint not null default 1,    -- of the order's last row in the journal
  reason         text,                           -- as in that row
  expires_at     timestamptz,                    -- deadline of the hold
  redeemed_at    timestamptz,                    -- when its checkout code was first presented
  redeemed_key   uuid,                           -- the intent (shopper, key) whose payment began last
  payment_method text,                           -- what a queued order will be paid with
  prize          boolean,                        -- null: the sale has no prize, or the order is not confirmed
  retold_at      timestamptz,                    -- when its message was last published again
  payment_digest text,                           -- null unless the sale limits units per payment fingerprint
  address_digest text,                           -- null unless the sale limits units per address
  constraint orders_pkey primary key (sale_id, order_id),
  -- Over all sales: the id is derived from (shopper, Idempotency-Key), and a retry that arrives after the next window of
  -- a repeating sale has opened must still find its order.
  constraint orders_one_per_intent unique (order_id),
  constraint orders_status_is_known check (status in
    ('QUEUED', 'RESERVED', 'CONFIRMED', 'REJECTED', 'EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED')),
  constraint orders_quantity_is_positive check (quantity > 0),
  constraint orders_total_is_exact check (total_minor = quantity * price_minor),
  constraint orders_entrance_is_known check (entrance in ('direct', 'checkout', 'queued')),
  constraint orders_queued_came_by_the_queue check (status not in ('QUEUED', 'REJECTED') or entrance = 'queued'),
  constraint orders_hold_has_a_deadline check (status not in ('RESERVED', 'EXPIRED') or expires_at is not null),
  constraint orders_code_is_of_a_checkout check (redeemed_at is null or entrance = 'checkout'),
  constraint orders_code_was_in_time check (redeemed_at <= expires_at),
  constraint orders_prize_is_confirmed check (prize is null or status = 'CONFIRMED')
);
create index orders_holds_by_deadline on orders (sale_id, expires_at) where status = 'RESERVED';
create index orders_queued_by_age on orders (created_at) where status = 'QUEUED';
-- Whether a sale that is over has orders left to decide: a sale has many orders, and few of them wait.
create index orders_queued_by_sale on orders (sale_id) where status = 'QUEUED';

-- Append-only: one change of an order's status. Counters and orders can be folded from it, which is how the audit checks
-- them.
create table journal (
  sale_id     bigint not null,
  order_id    uuid not null,
  seq         smallint not null,
  from_status text not null,
  to_status   text not null,
  quantity    integer not null,
  reason      text,
  at          timestamptz not null,
  prize       boolean,
  constraint journal_pkey primary key (sale_id, order_id, seq),
  constraint journal_seq_starts_at_one check (seq >= 1),
  constraint journal_begins_with_new check ((seq = 1) = (from_status = 'NEW'))
);
-- The webhook relay finds what is new by time (docs/decisions/0026). It is a block range index because rows come in the
-- order of time: a purchase writes nothing into it until its pages are summarised, in the background.
create index journal_by_time on journal using brin (at) with (pages_per_range = 32, autosummarize = on);

-- Work on an order that failed for good. It is NEW until the compensator has ended the order; after that an operator
-- replays or discards it.
create table dead_letters (
  dead_letter_id bigint generated always as identity,
  sale_id        bigint not null,
  order_id       uuid not null,
  source         text not null,
  reason         text not null,
  error          text not null,
  deliveries     integer not null,
  status         text not null default 'NEW',
  created_at     timestamptz not null default clock_timestamp(),
  resolved_at    timestamptz,
  constraint dead_letters_pkey primary key (dead_letter_id),
  constraint dead_letters_source_is_known check (source in ('queue', 'payment', 'refund')),
  constraint dead_letters_status_is_known check (status in ('NEW', 'COMPENSATED', 'REPLAYED', 'DISCARDED')),
  constraint dead_letters_resolved_have_a_time check ((resolved_at is not null) = (status in ('REPLAYED', 'DISCARDED')))
);
-- The same failure, reported by two deliveries, is one letter.
create unique index dead_letters_one_open on dead_letters (order_id, source) where status in ('NEW', 'COMPENSATED');
create index dead_letters_by_age on dead_letters (created_at) where status in ('NEW', 'COMPENSATED');


-- Payments

-- One try to pay for an order. PENDING: the provider's answer is not known yet. REFUND_DUE: the money arrived, and the order
-- cannot have it.
create table payments (
  payment_id        uuid not null,
  sale_id           bigint not null,
  order_id          uuid not null,
  amount_minor      bigint not null,
  currency          text not null,
  method            text,
  status            text not null default 'PENDING',
  reference         text, -- the provider's own name for it
  captured_minor    bigint not null default 0,
  captured_currency text, -- as the provider says; the audit compares it with `currency`. Null: nothing was captured
  refunded_minor    bigint not null default 0,
  reason            text,
  tries             integer not null default 0,
  due_at            timestamptz, -- when the reconciler asks next; null: nothing is left to ask
  created_at        timestamptz not null default clock_timestamp(),
  updated_at        timestamptz not null default clock_timestamp(),
  constraint payments_pkey primary key (payment_id),
  constraint payments_status_is_known check (status in
    ('PENDING', 'CAPTURED', 'DECLINED', 'CANCELLED', 'REFUND_DUE', 'REFUNDED')),
  constraint payments_amount_is_positive check (amount_minor > 0),
  constraint payments_captured_is_known check ((captured_minor > 0) = (status in ('CAPTURED', 'REFUND_DUE', 'REFUNDED'))),
  constraint payments_refund_is_whole check (refunded_minor = case status when 'REFUNDED' then captured_minor else 0 end),
  constraint payments_unsettled_are_due check ((due_at is not null) = (status in ('PENDING', 'REFUND_DUE')))
);
create index payments_by_order on payments (sale_id, order_id);
create index payments_by_due on payments (due_at) where due_at is not null;
-- An order has one payment under way at most, and keeps the money of one payment at most.
create unique index payments_one_pending on payments (order_id) where status = 'PENDING';
create unique index payments_one_kept on payments (order_id) where status = 'CAPTURED';

-- Append-only: one change of a payment's status.
create table payment_journal (
  payment_id   uuid not null,
  seq          smallint not null,
  status       text not null,
  amount_minor bigint not null,
  reason       text,
  at           timestamptz not null default clock_timestamp(),
  constraint payment_journal_pkey primary key (payment_id, seq)
);


-- The queue

-- A hint that a QUEUED order waits to be decided. The order itself is in `orders`, so no order is lost with a message. With
-- AMQP_URL the messages are in RabbitMQ instead, and this table stays empty.
--
-- `available_at` is when a worker may take the message. Waiting: when it was published. To be retried: when its delay ends.
-- Leased (`leased_by` set): when the lease lapses. So one index serves all three, and a lapsed lease needs no sweep.
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
  traceparent  text, -- the span that published it, as W3C writes it; null: no traces are kept
  constraint queue_messages_pkey primary key (message_id),
  -- One message that the engine cannot read would fail the whole batch it is fetched with, again and again; numbers beyond
  -- 2^53 - 1 are not exact in the engine.
  constraint queue_messages_sale_is_exact check (sale_id between 1 and 9007199254740991),
  constraint queue_messages_quantity_is_positive check (quantity > 0),
  constraint queue_messages_deliveries_are_not_negative check (deliveries >= 0),
  -- Of any other length it is not a traceparent.
  constraint queue_messages_traceparent_is_short check (length(traceparent) = 55)
) with (
  -- Every row dies within seconds, so a share of dead rows says nothing, and a fixed number is used instead. Vacuum does not
  -- pause: the table is small.
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_cost_delay = 0,
  -- No plan depends on its statistics (engine/src/queue/lease-messages.sql).
  autovacuum_analyze_threshold = 1000000
);
create index queue_messages_by_availability on queue_messages (available_at);

-- How old the messages of a queue outside of this database can be, so that the audit knows whether an undecided order may
-- still wait there. One row at most.
create table queue_watch (
  is_only     boolean not null default true,
  waits_since timestamptz not null, -- an order accepted after this may wait in the queue; an older one is published again
  seen_at     timestamptz not null,
  constraint queue_watch_pkey primary key (is_only),
  constraint queue_watch_has_one_row check (is_only)
);


-- Attempts

-- One try to buy, with its outcome. A try that became an order is written in the order's transaction, refused ones in bulk
-- after the answer. Up to a million come in a minute, so there is no key. There is one partition a UTC day, so that retention
-- drops a table instead of deleting rows; engine/src/ledger/attempt-partitions.ts makes and drops them.
create table attempts (
  sale_id     bigint,
  product_id  bigint not null,
  shopper_id  text not null,
  order_id    uuid,
  quantity    integer not null,
  outcome     text not null,
  answered_at timestamptz not null,
  duration_us integer not null
) partition by range (answered_at);
-- No row is ever refused: one whose day has no partition is stored here.
create table attempts_default partition of attempts default;
-- Every refusal pays for each index, so there are two: by shopper and by sale (docs/decisions/0006).
create index attempts_by_shopper on attempts (shopper_id, answered_at);
create index attempts_by_sale on attempts (sale_id, answered_at);

-- How far retention has come, in one row: attempts from before `since` were dropped, so the audit expects none of an order
-- that is older (invariant 13).
create table attempts_kept (
  is_only boolean not null default true,
  since   timestamptz not null,
  constraint attempts_kept_pkey primary key (is_only),
  constraint attempts_kept_is_one_row check (is_only)
);
insert into attempts_kept (since) values ('-infinity');


-- Sums of what was sold, so that statistics do not read every order (docs/decisions/0031). A job writes them
-- (engine/src/ledger/sum-sold.ts), never a purchase.

-- What a sale sold in one hour.
create table sold_by_hour (
  sale_id       bigint not null,
  hour          timestamptz not null, -- in which the orders were made
  orders        bigint not null,
  units         bigint not null,
  revenue_minor bigint not null,
  constraint sold_by_hour_pkey primary key (sale_id, hour),
  constraint sold_by_hour_is_some check (orders > 0 and units > 0)
);
create index sold_by_hour_by_time on sold_by_hour (hour);

-- How far the journal of a sale is summed. A sale is summed in full when `units` equals what it has sold, since a bought unit
-- stays bought.
create table sold_summed (
  sale_id bigint not null,
  units   bigint not null,
  up_to   timestamptz not null, -- time of the last row of its journal that is summed
  constraint sold_summed_pkey primary key (sale_id)
);

-- When every sale was last summed in full, or known to need summing from its beginning. One row, which the job locks.
create table sold_summed_at (
  is_only boolean not null default true,
  at      timestamptz not null,
  constraint sold_summed_at_pkey primary key (is_only),
  constraint sold_summed_at_is_one_row check (is_only)
);
insert into sold_summed_at (at) values (clock_timestamp());


-- Sequential ids

-- The last id of a kind, such as `user`. A sequence would leave gaps after a crash or a rollback.
create table id_counters (
  name    text not null,
  last_id bigint not null,
  constraint id_counters_pkey primary key (name),
  constraint id_counters_last_id_is_not_negative check (last_id >= 0)
);
insert into id_counters (name, last_id) values ('user', 0);

-- The last ids that a process was given. A process that lost the answer to its COMMIT asks again under the same request
-- number and gets the same ids, so that a cut connection leaves no gap.
create table id_allocations (
  allocator    uuid not null,   -- one process and kind of id, for as long as the process runs
  kind         text not null,
  request      bigint not null, -- counts that allocator's requests from 1
  first_id     bigint not null,
  last_id      bigint not null,
  allocated_at timestamptz not null default clock_timestamp(),
  constraint id_allocations_pkey primary key (allocator),
  constraint id_allocations_range_is_not_empty check (first_id between 1 and last_id)
);


-- Operators

-- One sign-in of an operator. The cookie is signed; this row says how long it counts and whether it was revoked.
create table operator_sessions (
  session_id  uuid not null,
  operator    text not null,
  secret_mark text, -- keyed digest of name and secret: the session counts while the operator has that secret
  ip          text not null,
  user_agent  text not null,
  created_at  timestamptz not null default clock_timestamp(),
  ends_at     timestamptz not null,
  revoked_at  timestamptz,
  revoked_by  text,
  constraint operator_sessions_pkey primary key (session_id),
  constraint operator_sessions_end_after_they_begin check (ends_at > created_at),
  constraint operator_sessions_are_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);

-- One action of an operator, written before it is carried out. A row without an outcome is an action during which the
-- process died.
create table operator_actions (
  action_id  bigint generated always as identity,
  at         timestamptz not null default clock_timestamp(),
  operator   text not null,
  session_id uuid,          -- null: the secret itself was presented
  action     text not null, -- method and pattern of the route
  target     text not null, -- the path as it was called
  detail     text,          -- the body as JSON, without secrets
  ip         text not null,
  request_id text not null,
  status     integer,
  outcome    text,          -- ok, or the slug of the refusal
  constraint operator_actions_pkey primary key (action_id),
  constraint operator_actions_detail_is_bounded check (length(detail) <= 4000),
  constraint operator_actions_end_with_status_and_outcome check ((status is null) = (outcome is null))
);


-- Webhooks that the engine sends (docs/decisions/0026)

-- An address that wants to hear of events.
create table webhook_endpoints (
  endpoint_id         bigint generated always as identity,
  url                 text not null,
  description         text not null,
  events              text[] not null,
  secret              text not null, -- encrypted with SECRET_KEY
  former_secret       text,          -- signs as well until former_secret_until
  former_secret_until timestamptz,
  status              text not null default 'enabled',
  disabled_reason     text,
  failing_since       timestamptz,   -- of the first failure that no success has followed
  created_at          timestamptz not null default clock_timestamp(),
  constraint webhook_endpoints_pkey primary key (endpoint_id),
  constraint webhook_endpoints_url_is_bounded check (length(url) between 1 and 2000),
  constraint webhook_endpoints_description_is_bounded check (length(description) <= 200),
  -- deleted: its deliveries are many, and are removed in steps before the row.
  constraint webhook_endpoints_status_is_known check (status in ('enabled', 'disabled', 'deleted')),
  constraint webhook_endpoints_disabled_has_a_reason check ((disabled_reason is not null) = (status = 'disabled')),
  constraint webhook_endpoints_former_secret_ends check ((former_secret is null) = (former_secret_until is null))
);

-- One event, stored once for all endpoints that hear it, with the data that is signed.
create table webhook_events (
  event_id   uuid not null default gen_random_uuid(),
  position   bigint generated always as identity, -- counts events, for retention
  type       text not null,
  subject    text not null, -- the order or the sale; each has an event of a type once
  at         timestamptz not null,
  data       jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint webhook_events_pkey primary key (event_id),
  constraint webhook_events_once unique (type, subject)
);
create unique index webhook_events_by_position on webhook_events (position);

-- One event for one endpoint.
create table webhook_deliveries (
  delivery_id  bigint generated always as identity,
  endpoint_id  bigint not null,
  event_id     uuid not null,
  status       text not null default 'pending',
  tries        integer not null default 0,
  due_at       timestamptz, -- waiting: when it is sent. Being sent: when its sender is taken for dead
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

-- How far the relay has read the journals, in one row. Everything by transactions below `below` was read. Nothing by later
-- transactions was, and none of their rows is older than `since`. No transaction had the number `mark` yet at `mark_at`:
-- once everything below `mark` is read, `since` moves to `mark_at`.
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


-- Rehearsals, and the health of the database

-- A load test that an operator started against a sale of its own. The process that runs it reports progress twice a second.
create table rehearsals (
  rehearsal_id    bigint generated always as identity,
  product_id      bigint,
  sale_id         bigint,
  operator        text not null,
  allocation      integer not null,
  shoppers        integer not null,
  rate_per_second integer not null,
  seconds         integer not null,
  status          text not null default 'running',
  is_to_stop      boolean not null default false,
  started_at      timestamptz not null default clock_timestamp(),
  seen_at         timestamptz not null default clock_timestamp(),
  ended_at        timestamptz,
  progress        jsonb,
  report          jsonb,
  failure         text,
  constraint rehearsals_pkey primary key (rehearsal_id),
  constraint rehearsals_status_is_known check (status in ('running', 'ended', 'stopped', 'failed')),
  constraint rehearsals_that_run_have_no_end check ((status = 'running') = (ended_at is null)),
  constraint rehearsals_that_failed_say_why check ((status = 'failed') = (failure is not null)),
  constraint rehearsals_terms_are_above_zero
    check (allocation > 0 and shoppers > 0 and rate_per_second > 0 and seconds > 0)
);
-- One at a time, whichever process is asked.
create unique index rehearsals_one_runs on rehearsals ((true)) where status = 'running';

-- One row that a process updates to learn whether the database still takes commits, when no decision has told it lately. An
-- update by any process within the last second is proof enough for all.
create table commit_probe (
  is_only      boolean not null default true,
  committed_at timestamptz not null,
  constraint commit_probe_pkey primary key (is_only),
  constraint commit_probe_has_one_row check (is_only)
);
insert into commit_probe (committed_at) values (now());
