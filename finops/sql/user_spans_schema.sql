-- One row: the rows of rollup_user_total of one span that have requests, as arrays: to rank all
-- users of a month takes milliseconds. Made as days settle, in the same transaction; a span with a
-- day that has not settled is not to be read. Arrays are as user_sums.py reads them: 4 bytes a
-- number, little end first, all in the order of `users`. A measure is planes one after another, one
-- for each power of 10^8 from 10^(8 * lowest) on; without planes all are nothing.
CREATE TABLE rollup_user_span (
    span               text NOT NULL,  -- day, week or month
    start              date NOT NULL,  -- the first day of the span
    users              bytea NOT NULL,
    requests           bytea NOT NULL,
    unpriced_requests  bytea NOT NULL,
    effective_cost     bytea NOT NULL,
    lowest             smallint NOT NULL,  -- of effective_cost; of the others 0
    PRIMARY KEY (span, start)
);
-- Such numbers hardly compress, and trying takes longer than reading them.
ALTER TABLE rollup_user_span ALTER COLUMN users SET STORAGE EXTERNAL;
ALTER TABLE rollup_user_span ALTER COLUMN requests SET STORAGE EXTERNAL;
ALTER TABLE rollup_user_span ALTER COLUMN unpriced_requests SET STORAGE EXTERNAL;
ALTER TABLE rollup_user_span ALTER COLUMN effective_cost SET STORAGE EXTERNAL;
ALTER TABLE rollup_user_span ALTER COLUMN users SET STATISTICS 0;
ALTER TABLE rollup_user_span ALTER COLUMN requests SET STATISTICS 0;
ALTER TABLE rollup_user_span ALTER COLUMN unpriced_requests SET STATISTICS 0;
ALTER TABLE rollup_user_span ALTER COLUMN effective_cost SET STATISTICS 0;
