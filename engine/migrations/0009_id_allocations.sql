-- The last allocation of each process that gives out sequential ids. A process that lost the answer to its COMMIT asks
-- again under the same request number and gets the same ids, so that no cut connection makes a gap.
create table id_allocations (
  allocator    uuid not null,   -- one process and kind of id, from its start to its end
  kind         text not null,
  request      bigint not null, -- counts that allocator's requests from 1
  first_id     bigint not null,
  last_id      bigint not null,
  allocated_at timestamptz not null default clock_timestamp(),
  constraint id_allocations_pkey primary key (allocator),
  constraint id_allocations_range_is_not_empty check (first_id between 1 and last_id)
);
