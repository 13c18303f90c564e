-- Purpose: lease up to p_batch_max due messages, oldest first, for p_lease_ms. If none is due, one row without a message
-- gives the milliseconds until the next one is due (null: no message waits).
--
-- Locks: the rows it takes; rows that another fetch has locked are skipped, so consumers never wait for each other.
-- Index: queue_messages_by_availability, from p_from on. Entries of deleted messages stay at its beginning until vacuum
-- removes them, and while an old snapshot is open (an audit, a backup) vacuum cannot. So the caller starts where its last
-- fetch ended, and only occasionally at -infinity: below p_from there can only be a message whose publish committed late,
-- or whose fetch by another consumer was rolled back.
--
-- The commit does not wait for the disk: if a crash loses a lease, the message is redelivered, which the queue's contract
-- allows.
create or replace function lease_messages(
  p_leased_by uuid,
  p_lease_ms integer,
  p_batch_max integer,
  p_from timestamptz
) returns table (
  message_id bigint,
  order_id uuid,
  sale_id bigint,
  shopper_id text,
  quantity integer,
  force_fail boolean,
  deliveries integer,
  traceparent text,
  was_available_at timestamptz,
  due_in_ms float8
) language plpgsql
-- A plan made while the table was empty must not scan it when 100,000 messages wait, so only index look-ups are allowed.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  -- statement_timestamp() is the database's clock too. clock_timestamp() is volatile and so cannot bound an index scan,
  -- which would then read every delayed message.
  return query
    with due as materialized (
      select message_id, available_at from queue_messages
      where available_at >= p_from and available_at <= statement_timestamp()
      order by available_at
      limit p_batch_max
      for update skip locked
    )
    update queue_messages m
    set leased_by = p_leased_by, deliveries = m.deliveries + 1,
        available_at = clock_timestamp() + p_lease_ms * interval '1 millisecond'
    from due
    where m.message_id = due.message_id
    returning m.message_id, m.order_id, m.sale_id, m.shopper_id, m.quantity, m.force_fail, m.deliveries,
              m.traceparent, due.available_at, null::float8;
  if not found then
    return query
      select null::bigint, null::uuid, null::bigint, null::text, null::integer, null::boolean, null::integer,
             null::text, null::timestamptz,
             extract(epoch from (
               select available_at from queue_messages where available_at > statement_timestamp()
               order by available_at limit 1
             ) - clock_timestamp())::float8 * 1000;
  end if;
end $$;
