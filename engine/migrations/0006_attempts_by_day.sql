-- Attempts by day: one partition a UTC day, so that retention drops a table instead of deleting a hundred million rows
-- (ledger/attempt-partitions.ts makes and drops them). Rows that are there stay where they are: their table becomes the
-- partition of everything before the first day of its own, which costs one scan and its indexes, and copies nothing.

alter table attempts rename to attempts_before_days;

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

-- No row is ever refused: a stamp by a process's estimate of the clock, or a day that nobody made, lands here.
create table attempts_default partition of attempts default;

-- Each costs every refusal, so there are two and no more (docs/decisions/0006-attempts.md): a shopper's, and a sale's.
create index attempts_by_shopper on attempts (shopper_id, answered_at);
create index attempts_by_sale on attempts (sale_id, answered_at);

do $$
declare
  v_first_day date;
begin
  select (greatest(max(answered_at), clock_timestamp()) at time zone 'UTC')::date + 1 into v_first_day
  from attempts_before_days having count(*) > 0;
  if v_first_day is null then
    drop table attempts_before_days;
  else
    execute format('alter table attempts attach partition attempts_before_days for values from (minvalue) to (%L)',
                   v_first_day::timestamp at time zone 'UTC');
  end if;
end $$;

-- Retention has dropped what was answered before `since`: an order from before then has no attempt any more, and need
-- not have one (invariant 13).
create table attempts_kept (
  is_only boolean not null default true,
  since   timestamptz not null,
  constraint attempts_kept_pkey primary key (is_only),
  constraint attempts_kept_is_one_row check (is_only)
);
insert into attempts_kept (since) values ('-infinity');
