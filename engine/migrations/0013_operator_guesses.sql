-- Wrong secrets of operators in a row, by name and by address, for all processes. A row is forgotten when its lock-out is
-- over, and beyond 10,000 the oldest go first.
create table operator_guesses (
  name     text not null, -- "user ..." or "address ..."
  failures integer not null,
  last_at  timestamptz not null,
  constraint operator_guesses_pkey primary key (name),
  constraint operator_guesses_are_some check (failures > 0)
);
create index operator_guesses_by_age on operator_guesses (last_at);
-- From where an operator has signed in before.
create index operator_sessions_by_origin on operator_sessions (operator, ip);
