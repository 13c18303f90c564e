-- Sales that repeat, and what has been told of each sale's window.

-- A sale that repeats: each start that the cron pattern names in the time zone becomes a sale of its own, on these terms.
create table sale_series (
  series_id        bigint generated always as identity,
  product_id       bigint not null,
  cron             text not null,
  time_zone        text not null,
  duration_seconds integer not null,
  allocation       integer not null,
  per_user_limit   integer not null,
  hold_ttl_seconds integer not null,
  payment          text not null,
  prize_odds       integer,
  status           text not null default 'active',
  created_at       timestamptz not null default clock_timestamp(),
  planned_until    timestamptz not null, -- start of the last window that was planned or passed over
  constraint sale_series_pkey primary key (series_id),
  constraint sale_series_product_exists foreign key (product_id) references products (product_id),
  constraint sale_series_cron_is_bounded check (length(cron) between 9 and 100),
  constraint sale_series_time_zone_is_bounded check (length(time_zone) between 1 and 64),
  constraint sale_series_duration_is_positive check (duration_seconds > 0),
  constraint sale_series_allocation_is_positive check (allocation > 0),
  constraint sale_series_limit_is_bounded check (per_user_limit between 1 and 100000),
  constraint sale_series_hold_ttl_is_bounded check (hold_ttl_seconds between 1 and 86400),
  constraint sale_series_payment_is_known check (payment in ('none', 'required')),
  constraint sale_series_prize_odds_are_bounded check (prize_odds between 1 and 1000000),
  constraint sale_series_status_is_known check (status in ('active', 'ended'))
);
create index sale_series_active on sale_series (series_id) where status = 'active';

alter table sales
  add column opened_at timestamptz, -- when it was told that the window has begun
  add column closed_at timestamptz, -- when it was told that the window is over
  add constraint sales_series_exists foreign key (series_id) references sale_series (series_id);
-- Two planners make one sale of a start.
create unique index sales_one_per_start on sales (series_id, starts_at) where series_id is not null;

-- What is left to tell, looked for four times a second: sales that were told and are over are in neither index.
create index sales_to_open on sales (starts_at) where opened_at is null and status <> 'ended';
create index sales_to_close on sales (ends_at) where status <> 'ended';
-- Whether a sale that is over has orders left to decide; a sale's orders are many, those that wait are few.
create index orders_queued_by_sale on orders (sale_id) where status = 'QUEUED';
