-- One row: a number that grows with every price line and every day's exchange rates added or
-- superseded, whatever order they commit in.
SELECT (SELECT count(*) + count(superseded_at) FROM price)
    + (SELECT count(*) + count(superseded_at) FROM exchange_fixing)
