-- Purpose: give the next p_count ids of a kind to one process, in one round trip. If that process repeats the request
-- because it does not know whether the first try was committed, it gets the same ids again.
--
-- Locks: the kind's row of id_counters, held to the end; then the process's own row of id_allocations. The lock is taken
-- first, and a fresh snapshot then shows whether the request was answered before: the first try may still have been
-- running. Indexes: id_counters_pkey, id_allocations_pkey.
--
-- A request older than the last one returns no row: the network delayed it so long that its process gave up on it. It must
-- not take ids that no process would receive.
create or replace function allocate_ids(p_kind text, p_allocator uuid, p_request bigint, p_count integer)
returns table (first_id bigint, last_id bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_last bigint;
  v_known id_allocations;
begin
  select c.last_id into v_last from id_counters c where c.name = p_kind for update;
  if not found then
    -- The first id of a kind that the settings name.
    insert into id_counters (name, last_id) values (p_kind, 0) on conflict (name) do nothing;
    select c.last_id into v_last from id_counters c where c.name = p_kind for update;
  end if;

  select * into v_known from id_allocations a where a.allocator = p_allocator;
  if v_known.request >= p_request then
    if v_known.request = p_request then
      return query select v_known.first_id, v_known.last_id;
    end if;
    return;
  end if;

  update id_counters c set last_id = v_last + p_count where c.name = p_kind;
  insert into id_allocations as a (allocator, kind, request, first_id, last_id)
  values (p_allocator, p_kind, p_request, v_last + 1, v_last + p_count)
  on conflict (allocator) do update set
    request = excluded.request,
    first_id = excluded.first_id,
    last_id = excluded.last_id,
    allocated_at = clock_timestamp();

  -- A row is needed only for the seconds in which its process may retry; a process that has ended never does.
  if p_request = 1 then
    delete from id_allocations a where a.allocated_at < clock_timestamp() - interval '1 hour';
  end if;
  return query select v_last + 1, v_last + p_count;
end
$$;
