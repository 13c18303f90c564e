-- Purpose: the number of declined payments after which a shopper can pay for nothing more in a sale. A shopper mistypes a
-- number or tries another card; a thief with a list of stolen cards needs hundreds of tries. Locks: none.
create or replace function decline_limit() returns integer language sql immutable as $$ select 5 $$;
