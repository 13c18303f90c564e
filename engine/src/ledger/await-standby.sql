-- Purpose: make this transaction's COMMIT wait for the synchronous standbys, as a transaction that writes does. An answer
-- that shows an order acknowledges it, but a visible order may not be on a standby yet: a restart of the primary, or the
-- cancellation of a session, makes commits visible that were still waiting. This function writes a log record, which lies
-- behind everything that the transaction could read and so reaches a standby after it.
--
-- Rejected: txid_current(). PostgreSQL waits only for transactions that have an id and have also written to the log.
--
-- Without a synchronous standby this reads one setting. Locks: none.
create or replace function await_standby() returns pg_lsn language sql volatile as $$
  select case when current_setting('synchronous_standby_names') <> ''
         then pg_logical_emit_message(true, 'doorbuster', ''::text) end
$$;
