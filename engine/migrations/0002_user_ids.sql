-- One row per kind of sequential id. A sequence would leave gaps after a crash or a rollback.
create table id_counters (
  name    text not null,
  last_id bigint not null,
  constraint id_counters_pkey primary key (name),
  constraint id_counters_last_id_is_not_negative check (last_id >= 0)
);
insert into id_counters (name, last_id) values ('user', 0);
