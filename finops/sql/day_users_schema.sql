-- One row: who used one attribution on one day that has settled, and what their requests cost.
-- Which of them used what is in rollup_user_day, of which this is made.
CREATE TABLE rollup_day_users (
    day                date NOT NULL,
    attribution_id     integer NOT NULL,
    users              bytea NOT NULL,  -- their numbers, 4 bytes each (int4send); nobody, 0, is none
    requests           bigint NOT NULL,
    unpriced_requests  bigint NOT NULL,
    effective_cost     numeric NOT NULL,
    PRIMARY KEY (day, attribution_id)
);
-- Numbers hardly compress, and trying takes longer than reading them.
ALTER TABLE rollup_day_users ALTER COLUMN users SET STORAGE EXTERNAL;
ALTER TABLE rollup_day_users ALTER COLUMN users SET STATISTICS 0;
