-- A product that is sold to nobody: its sale is a rehearsal's. It is in no list of the shop, and no revenue.
alter table products add column is_rehearsal boolean not null default false;

-- A load that an operator has started against a sale of its own. The process that runs it says twice a second how it goes.
create table rehearsals (
  rehearsal_id    bigint generated always as identity,
  product_id      bigint,
  sale_id         bigint,
  operator        text not null,
  allocation      int not null,
  shoppers        int not null,
  rate_per_second int not null,
  seconds         int not null,
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
