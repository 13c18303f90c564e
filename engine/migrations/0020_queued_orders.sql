-- Orders are accepted by the ledger alone; decision 0033.
drop function if exists accept_late(bigint, uuid[], text[], integer[], text[], timestamptz[], text[], text[]);
