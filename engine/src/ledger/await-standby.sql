-- Purpose: have this transaction's COMMIT wait for the synchronous standbys, as a transaction that changed something does.
-- Whoever reads an order acknowledges it, and what can be read may not be on a standby yet: a restart of the primary, or the
-- cancellation of a session, makes visible what still waited. The transaction's own record lies behind everything that it
-- could read, and so does not reach a standby before it.
--
-- Lost: txid_current(). PostgreSQL waits only for transactions that have a number and have also written to the log.
--
-- Where no standby is synchronous this reads one setting. Locks: none.
create or replace function await_standby() returns pg_lsn language sql volatile as $$
  select case when current_setting('synchronous_standby_names') <> ''
         then pg_logical_emit_message(true, 'doorbuster', ''::text) end
$$;
