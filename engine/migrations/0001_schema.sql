-- The tables of a sale. Money is integer minor units; time is the database's clock. Every table that a purchase
-- writes leads with the sale's id. Rules that one row can check are named constraints here; rules that span rows are
-- kept by the ledger's functions and proved by `doorbuster audit`.

create table products (
  product_id  bigint generated always as identity,
  name        text not null,
  description text not null default '',
  image_url   text,
  price_minor bigint not null,
  currency    text not null,
  created_at  timestamptz not null default clock_timestamp(),
  constraint products_pkey primary key (product_id),
  constraint products_name_is_bounded check (length(name) between 1 and 200),
  constraint products_description_is_bounded check (length(description) <= 10000),
  -- 10^9 minor units times the largest quantity (100,000) stays below 2^53, so a total is exact in JSON readers too.
  constraint products_price_is_bounded check (price_minor between 0 and 1000000000),
  constraint products_currency_is_a_code check (currency ~ '^[A-Z]{3}$')
);

create table sales (
  sale_id          bigint generated always as identity,
  product_id       bigint not null,
  starts_at        timestamptz not null,
  ends_at          timestamptz not null,
  per_user_limit   integer not null,
  price_minor      bigint not null,
  currency         text not null,
  hold_ttl_seconds integer not null default 900,
  status           text not null default 'active',
  created_at       timestamptz not null default clock_timestamp(),
  constraint sales_pkey primary key (sale_id),
  constraint sales_product_exists foreign key (product_id) references products (product_id),
  constraint sales_status_is_known check (status in ('active', 'paused', 'ended')),
  constraint sales_window_is_not_empty check (starts_at < ends_at),
  constraint sales_limit_is_bounded check (per_user_limit between 1 and 100000),
  constraint sales_price_is_bounded check (price_minor between 0 and 1000000000),
  constraint sales_currency_is_a_code check (currency ~ '^[A-Z]{3}$'),
  constraint sales_hold_ttl_is_bounded check (hold_ttl_seconds between 1 and 86400),
  -- A one-element range stands in for "product_id with =": GiST compares ranges without the btree_gist extension,
  -- which a hosted PostgreSQL may not let us create. A sale ended early frees its window.
  constraint sales_do_not_overlap exclude using gist (
    int8range(product_id, product_id, '[]') with &&,
    tstzrange(starts_at, ends_at) with &&
  ) where (status <> 'ended')
);

create index sales_by_product on sales (product_id, starts_at);

-- The hot row. Each batch updates it once, and fillfactor leaves room for those versions on its own page.
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

-- Units that a shopper holds or has bought in a sale; the per-buyer limit is checked against it under the stock lock.
create table allowances (
  sale_id    bigint not null,
  shopper_id text not null,
  units      integer not null,
  constraint allowances_pkey primary key (sale_id, shopper_id),
  constraint allowances_units_are_not_negative check (units >= 0)
);

-- The life of an order as data: what is not listed here never happens. NEW stands for "did not exist".
create table order_transitions (
  from_status text not null,
  to_status   text not null,
  constraint order_transitions_pkey primary key (from_status, to_status)
);
insert into order_transitions (from_status, to_status) values
  ('NEW', 'CONFIRMED');

-- No foreign keys to sales on the tables below: the ledger writes them under the lock of the sale's own stock row, and
-- a check per row is paid on the hot path (docs/decisions/0004). The audit looks for orphans instead.
create table orders (
  sale_id     bigint not null,
  order_id    uuid not null,
  shopper_id  text not null,
  quantity    integer not null,
  price_minor bigint not null,
  total_minor bigint not null,
  status      text not null,
  created_at  timestamptz not null,
  constraint orders_pkey primary key (sale_id, order_id),
  -- Over all sales: the id is derived from (shopper, Idempotency-Key), and a retry that arrives after the next window of
  -- a repeating sale has opened must still find its order.
  constraint orders_one_per_intent unique (order_id),
  constraint orders_status_is_known check (status in ('CONFIRMED')),
  constraint orders_quantity_is_positive check (quantity > 0),
  constraint orders_total_is_exact check (total_minor = quantity * price_minor)
);

-- Append-only: one row per change of an order's status. Counters and orders can be folded from it.
create table journal (
  sale_id     bigint not null,
  order_id    uuid not null,
  seq         smallint not null,
  from_status text not null,
  to_status   text not null,
  quantity    integer not null,
  reason      text,
  at          timestamptz not null,
  constraint journal_pkey primary key (sale_id, order_id, seq),
  constraint journal_seq_starts_at_one check (seq >= 1),
  constraint journal_begins_with_new check ((seq = 1) = (from_status = 'NEW'))
);

-- Append-only: one row per change of a sale's status.
create table sale_journal (
  sale_id     bigint not null,
  seq         integer not null,
  from_status text not null,
  to_status   text not null,
  at          timestamptz not null default clock_timestamp(),
  constraint sale_journal_pkey primary key (sale_id, seq),
  constraint sale_journal_sale_exists foreign key (sale_id) references sales (sale_id)
);

-- Every try to buy. Those that became an order are written with it, the refused ones in bulk after the answer; a million
-- of them come in a minute, so they carry no index and no key.
create table attempts (
  sale_id     bigint,
  product_id  bigint not null,
  shopper_id  text not null,
  order_id    uuid,
  quantity    integer not null,
  outcome     text not null,
  answered_at timestamptz not null,
  duration_us integer not null
);
