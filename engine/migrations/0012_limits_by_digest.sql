-- Limits per payment fingerprint and per address: further keys under which the units of a sale are counted, where its
-- operator says so. Of what a call states a keyed digest is kept, and that only where the sale counts by it.

alter table sales
  add column per_payment_limit integer,
  add column per_address_limit integer,
  add constraint sales_payment_limit_is_bounded check (per_payment_limit between 1 and 100000),
  add constraint sales_address_limit_is_bounded check (per_address_limit between 1 and 100000);

alter table sale_series
  add column per_payment_limit integer,
  add column per_address_limit integer,
  add constraint sale_series_payment_limit_is_bounded check (per_payment_limit between 1 and 100000),
  add constraint sale_series_address_limit_is_bounded check (per_address_limit between 1 and 100000);

-- Null in an order of a sale that does not count by them, which then costs no byte of its row.
alter table orders
  add column payment_digest text,
  add column address_digest text;

-- Units held or bought in a sale under one payment fingerprint or address, as `allowances` has them for a shopper. A table
-- of its own: sales without such a limit, which are most, neither read nor write it.
create table digest_allowances (
  sale_id bigint not null,
  kind    text not null,
  digest  text not null,
  units   integer not null,
  constraint digest_allowances_pkey primary key (sale_id, kind, digest),
  constraint digest_allowances_kind_is_known check (kind in ('payment', 'address')),
  constraint digest_allowances_units_are_not_negative check (units >= 0)
);
