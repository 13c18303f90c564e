-- One row that a process writes to learn whether this database still takes commits, where no decision tells it. Processes
-- share it: a row that another process has written within the last second is proof enough.
create table commit_probe (
  is_only      boolean not null default true,
  committed_at timestamptz not null,
  constraint commit_probe_pkey primary key (is_only),
  constraint commit_probe_has_one_row check (is_only)
);
insert into commit_probe (committed_at) values (now());
