-- A sign-in of an operator. Its cookie is signed; this row says until when it counts and whether it was revoked.
create table operator_sessions (
  session_id uuid not null,
  operator   text not null,
  ip         text not null,
  user_agent text not null,
  created_at timestamptz not null default clock_timestamp(),
  ends_at    timestamptz not null,
  revoked_at timestamptz,
  revoked_by text,
  constraint operator_sessions_pkey primary key (session_id),
  constraint operator_sessions_end_after_they_begin check (ends_at > created_at),
  constraint operator_sessions_are_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
);

-- What operators did, written before it is done: a row without an outcome is an action whose process died under it.
create table operator_actions (
  action_id  bigint generated always as identity,
  at         timestamptz not null default clock_timestamp(),
  operator   text not null,
  session_id uuid, -- null where the secret itself was presented
  action     text not null, -- method and pattern of the route
  target     text not null, -- the path as it was called
  detail     text, -- the body as JSON, without secrets
  ip         text not null,
  request_id text not null,
  status     int,
  outcome    text, -- ok, or the slug of the refusal
  constraint operator_actions_pkey primary key (action_id),
  constraint operator_actions_detail_is_bounded check (length(detail) <= 4000),
  constraint operator_actions_end_with_status_and_outcome check ((status is null) = (outcome is null))
);
