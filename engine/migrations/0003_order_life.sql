-- The whole life of an order: holds with a deadline, queued orders, payments, dead letters; sales that are paid, that
-- repeat, and that carry a prize.

alter table sales
  add column payment    text not null default 'none',
  add column prize_odds integer,
  add column series_id  bigint,
  add constraint sales_payment_is_known check (payment in ('none', 'required')),
  -- One purchase in prize_odds wins.
  add constraint sales_prize_odds_are_bounded check (prize_odds between 1 and 1000000);

alter table orders
  add column entrance       text not null default 'direct',
  add column seq            smallint not null default 1, -- the order's last row in the journal
  add column reason         text,                        -- as in that row
  add column expires_at     timestamptz,                 -- deadline of the hold, from its first moment on
  add column redeemed_at    timestamptz,                 -- when its checkout code was first presented
  add column redeemed_key   uuid,                        -- the intent (shopper, key) whose payment began last
  add column payment_method text,                        -- what a queued order is to be paid with
  add column prize          boolean,                     -- null where the sale has no prize, or not confirmed
  add column retold_at      timestamptz,                 -- when the queue was last told again of a queued order
  drop constraint orders_status_is_known,
  add constraint orders_status_is_known check (status in
    ('QUEUED', 'RESERVED', 'CONFIRMED', 'REJECTED', 'EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED')),
  add constraint orders_entrance_is_known check (entrance in ('direct', 'checkout', 'queued')),
  add constraint orders_queued_came_by_the_queue check (status not in ('QUEUED', 'REJECTED') or entrance = 'queued'),
  add constraint orders_hold_has_a_deadline check (status not in ('RESERVED', 'EXPIRED') or expires_at is not null),
  add constraint orders_code_is_of_a_checkout check (redeemed_at is null or entrance = 'checkout'),
  add constraint orders_code_was_in_time check (redeemed_at <= expires_at),
  add constraint orders_prize_is_confirmed check (prize is null or status = 'CONFIRMED');

create index orders_holds_by_deadline on orders (sale_id, expires_at) where status = 'RESERVED';
create index orders_queued_by_age on orders (created_at) where status = 'QUEUED';

alter table journal add column prize boolean;

insert into order_transitions (from_status, to_status) values
  ('NEW', 'QUEUED'),
  ('NEW', 'RESERVED'),
  ('QUEUED', 'RESERVED'),
  ('QUEUED', 'CONFIRMED'),
  ('QUEUED', 'REJECTED'),
  ('QUEUED', 'CANCELLED'),
  ('QUEUED', 'FAILED'),
  ('RESERVED', 'CONFIRMED'),
  ('RESERVED', 'EXPIRED'),
  ('RESERVED', 'CANCELLED'),
  ('RESERVED', 'FAILED'),
  -- The money came after the hold had ended: units were left, or it went back.
  ('EXPIRED', 'CONFIRMED'),
  ('EXPIRED', 'REFUNDED'),
  ('CANCELLED', 'REFUNDED'),
  ('FAILED', 'REFUNDED'),
  -- An operator replays a dead letter.
  ('FAILED', 'QUEUED');

-- One try to be paid for an order. PENDING: the provider was asked or will be, and its word is not known. REFUND_DUE: the
-- money is here and the order can not have it.
create table payments (
  payment_id     uuid not null,
  sale_id        bigint not null,
  order_id       uuid not null,
  amount_minor   bigint not null,
  currency       text not null,
  method         text,
  status         text not null default 'PENDING',
  reference      text, -- the provider's own name for it
  captured_minor bigint not null default 0,
  refunded_minor bigint not null default 0,
  reason         text,
  tries          integer not null default 0,
  due_at         timestamptz, -- when the reconciler asks next; null once nothing is left to ask
  created_at     timestamptz not null default clock_timestamp(),
  updated_at     timestamptz not null default clock_timestamp(),
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
-- An order is being paid once at a time, and keeps the money of one payment at most.
create unique index payments_one_pending on payments (order_id) where status = 'PENDING';
create unique index payments_one_kept on payments (order_id) where status = 'CAPTURED';

-- Append-only: one row per change of a payment's status.
create table payment_journal (
  payment_id   uuid not null,
  seq          smallint not null,
  status       text not null,
  amount_minor bigint not null,
  reason       text,
  at           timestamptz not null default clock_timestamp(),
  constraint payment_journal_pkey primary key (payment_id, seq)
);

-- Work that failed for good. NEW until the compensator has ended the order; then an operator's, to replay or discard.
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

-- The former way to decide would sell what is to be paid for; processes of the former version fail instead.
drop function if exists decide(bigint, uuid[], text[], integer[], integer[]);
