-- The currency in which the provider says it captured: the audit holds it against the sale's. Null where nothing was captured,
-- and of captures before this.
alter table payments add column captured_currency text;
