-- What a sale asks of its shoppers to keep bots out; nothing unless its operator says so.

alter table sales
  -- How many numbers a shopper's browser has to try at most; null where there is no challenge.
  add column challenge      integer,
  add column requires_token boolean not null default false,
  add constraint sales_challenge_is_bounded check (challenge between 1000 and 10000000);

-- Challenges that were solved and used, each by the intent (shopper, Idempotency-Key) that used it. Kept until they would
-- be refused for their age.
create table spent_challenges (
  sale_id    bigint not null,
  challenge  text not null,
  order_id   uuid not null,
  expires_at timestamptz not null,
  constraint spent_challenges_pkey primary key (sale_id, challenge)
);
create index spent_challenges_by_age on spent_challenges (expires_at);
