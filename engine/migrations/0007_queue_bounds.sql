-- A message that the engine can not read would fail the whole batch it is fetched with, again and again.
alter table queue_messages
  -- Numbers beyond 2^53 - 1 are not exact in the engine, which refuses to read them.
  add constraint queue_messages_sale_is_exact check (sale_id between 1 and 9007199254740991),
  add constraint queue_messages_quantity_is_positive check (quantity > 0);
