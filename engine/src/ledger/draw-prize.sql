-- Purpose: whether a purchase wins, one in p_odds; null if the sale has no prize. Drawn once, when the order is confirmed.
-- The random bits are those of a version 4 UUID, which come from the system's cryptographic source: a shopper who has
-- seen some results of random() could predict the next ones. Locks: none.
create or replace function draw_prize(p_odds integer) returns boolean language sql volatile as $$
  select case when p_odds is not null
    then ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint % p_odds = 0 end
$$;
