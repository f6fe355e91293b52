-- One row: a number that grows with every line added or superseded, whatever order they commit in.
SELECT count(*) + count(superseded_at) FROM price
