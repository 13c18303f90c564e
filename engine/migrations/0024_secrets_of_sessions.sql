-- A session counts while its operator has the secret that opened it. The mark is a keyed digest of name and secret. A
-- session without one was opened before marks were kept, and is over.
alter table operator_sessions add column secret_mark text;

-- Each process counts wrong secrets for itself.
drop table operator_guesses;
drop index operator_sessions_by_origin;
