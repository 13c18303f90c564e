-- Declined payments of one shopper in a sale: whoever tries cards that are not theirs gets a few tries. Counted under the lock
-- of the stock row, in the row of the shopper's units, which each purchase reads in any case.
alter table allowances
  add column declines integer not null default 0,
  add constraint allowances_declines_are_not_negative check (declines >= 0);
