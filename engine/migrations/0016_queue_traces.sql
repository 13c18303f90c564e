-- Which span published a message (W3C's traceparent), where traces are kept: the worker's go on from there. Null in most
-- installations, which costs a row nothing.
alter table queue_messages
  add column traceparent text,
  -- Of another length it is none.
  add constraint queue_messages_traceparent_is_short check (length(traceparent) = 55);
