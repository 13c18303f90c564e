-- Purpose: settle a batch that was fetched under p_leased_by. A message without a delay is done and deleted; one with a
-- delay becomes available again after it, and its delivery is counted or not. @returns how many messages that lease still
-- held; the others' lease has lapsed and another consumer has taken them, so they stay unchanged.
--
-- Locks: the rows. Index: queue_messages_pkey.
-- The commit does not wait for the disk, for the same reason as in lease-messages.sql.
create or replace function settle_messages(
  p_leased_by uuid,
  p_message_ids bigint[],
  p_again_in_ms float8[], -- null: done
  p_is_counted boolean[]
) returns integer language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_settled integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  with settled as (
    select message_id, again_in_ms, is_counted
    from unnest(p_message_ids, p_again_in_ms, p_is_counted) as s (message_id, again_in_ms, is_counted)
  ), done as (
    delete from queue_messages m using settled s
    where m.message_id = s.message_id and s.again_in_ms is null and m.leased_by = p_leased_by
    returning 1
  ), retried as (
    update queue_messages m
    set leased_by = null, available_at = clock_timestamp() + s.again_in_ms * interval '1 millisecond',
        deliveries = m.deliveries - case when s.is_counted then 0 else 1 end
    from settled s
    where m.message_id = s.message_id and s.again_in_ms is not null and m.leased_by = p_leased_by
    returning 1
  )
  select (select count(*) from done) + (select count(*) from retried) into v_settled;
  return v_settled;
end $$;
