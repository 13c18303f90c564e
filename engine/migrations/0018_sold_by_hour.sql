-- What was bought, summed by sale and hour, so that statistics do not read every order (ledger/sum-sold.ts,
-- docs/decisions/0031). No purchase writes these tables.

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

-- A sale whose units here are those that it has sold is summed in full, since a bought unit stays bought.
create table sold_summed (
  sale_id bigint not null,
  units   bigint not null,
  up_to   timestamptz not null, -- time of the last row of its journal that is summed
  constraint sold_summed_pkey primary key (sale_id)
);

-- One row: at `at` every sale was summed in full, or known to need it from the beginning.
create table sold_summed_at (
  is_only boolean not null default true,
  at      timestamptz not null,
  constraint sold_summed_at_pkey primary key (is_only),
  constraint sold_summed_at_is_one_row check (is_only)
);
insert into sold_summed_at (at) values (clock_timestamp());
