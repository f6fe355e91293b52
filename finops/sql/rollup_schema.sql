-- The rollups: sums of the events of folded batches, at coarsening grains. Hours and days are those
-- of the reporting zone. Everything here can be made again from usage_event: see rollups.py. Pages
-- keep some room, because every fold of a second adds to rows that are there already.

-- One row: the zone whose hours and days the rollups hold. No row before the first fold.
CREATE TABLE rollup_state (
    id         boolean PRIMARY KEY DEFAULT true CHECK (id),
    zone       text NOT NULL,
    folded_at  timestamptz NOT NULL  -- when the folding task last looked for batches
);

-- One row: one hour of one attribution. Histograms are as compact_histogram reads them and stay in
-- their row: a query over a month reads thousands of them.
CREATE TABLE rollup_hour (
    hour                        timestamptz NOT NULL,
    attribution_id              integer NOT NULL,
    requests                    bigint NOT NULL,
    unpriced_requests           bigint NOT NULL,  -- their costs are unknown and in no sum below
    errors                      bigint NOT NULL,
    input_tokens                bigint NOT NULL,  -- all of them, cached ones included
    output_tokens               bigint NOT NULL,  -- all of them, reasoning included
    cache_read_input_tokens     bigint NOT NULL,
    cache_creation_input_tokens bigint NOT NULL,
    reasoning_output_tokens     bigint NOT NULL,
    unpriced_tokens             bigint NOT NULL,  -- input and output of unpriced requests
    list_cost                   numeric NOT NULL,
    effective_cost              numeric NOT NULL,
    input_cost                  numeric NOT NULL,
    cache_read_cost             numeric NOT NULL,
    cache_creation_cost         numeric NOT NULL,
    output_cost                 numeric NOT NULL,
    request_cost                numeric NOT NULL,
    gpu_seconds                 numeric NOT NULL,
    latency_count               bigint NOT NULL,  -- requests whose latency is known
    latency_sum_ms              bigint NOT NULL,
    latency_histogram           bytea NOT NULL,
    ttft_histogram              bytea NOT NULL,
    PRIMARY KEY (hour, attribution_id)
) WITH (fillfactor = 70, toast_tuple_target = 8160);
ALTER TABLE rollup_hour ALTER COLUMN latency_histogram SET STORAGE MAIN;
ALTER TABLE rollup_hour ALTER COLUMN ttft_histogram SET STORAGE MAIN;

-- One row: one day of one attribution, folded from its hours.
CREATE TABLE rollup_day (
    day                         date NOT NULL,
    attribution_id              integer NOT NULL,
    requests                    bigint NOT NULL,
    unpriced_requests           bigint NOT NULL,  -- their costs are unknown and in no sum below
    errors                      bigint NOT NULL,
    input_tokens                bigint NOT NULL,  -- all of them, cached ones included
    output_tokens               bigint NOT NULL,  -- all of them, reasoning included
    cache_read_input_tokens     bigint NOT NULL,
    cache_creation_input_tokens bigint NOT NULL,
    reasoning_output_tokens     bigint NOT NULL,
    unpriced_tokens             bigint NOT NULL,  -- input and output of unpriced requests
    list_cost                   numeric NOT NULL,
    effective_cost              numeric NOT NULL,
    input_cost                  numeric NOT NULL,
    cache_read_cost             numeric NOT NULL,
    cache_creation_cost         numeric NOT NULL,
    output_cost                 numeric NOT NULL,
    request_cost                numeric NOT NULL,
    gpu_seconds                 numeric NOT NULL,
    latency_count               bigint NOT NULL,  -- requests whose latency is known
    latency_sum_ms              bigint NOT NULL,
    latency_histogram           bytea NOT NULL,
    ttft_histogram              bytea NOT NULL,
    PRIMARY KEY (day, attribution_id)
) WITH (fillfactor = 70, toast_tuple_target = 8160);
ALTER TABLE rollup_day ALTER COLUMN latency_histogram SET STORAGE MAIN;
ALTER TABLE rollup_day ALTER COLUMN ttft_histogram SET STORAGE MAIN;

-- One row: one day of one user in one attribution. Attribution before user, so that a filter reads
-- only the part of a day that it keeps.
CREATE TABLE rollup_user_day (
    day                         date NOT NULL,
    attribution_id              integer NOT NULL,
    user_id                     integer NOT NULL,
    requests                    bigint NOT NULL,
    unpriced_requests           bigint NOT NULL,  -- their costs are unknown and in no sum below
    errors                      bigint NOT NULL,
    input_tokens                bigint NOT NULL,  -- all of them, cached ones included
    output_tokens               bigint NOT NULL,  -- all of them, reasoning included
    cache_read_input_tokens     bigint NOT NULL,
    unpriced_tokens             bigint NOT NULL,  -- input and output of unpriced requests
    list_cost                   numeric NOT NULL,
    effective_cost              numeric NOT NULL,
    PRIMARY KEY (day, attribution_id, user_id)
) WITH (fillfactor = 80);

-- One row: what one user used in one day, ISO week or calendar month: the sums of rollup_user_day
-- over the days of the span that have settled.
CREATE TABLE rollup_user_total (
    span                        text NOT NULL,  -- day, week or month
    start                       date NOT NULL,  -- the first day of the span
    user_id                     integer NOT NULL,
    requests                    bigint NOT NULL,
    unpriced_requests           bigint NOT NULL,  -- their costs are unknown and in no sum below
    errors                      bigint NOT NULL,
    input_tokens                bigint NOT NULL,  -- all of them, cached ones included
    output_tokens               bigint NOT NULL,  -- all of them, reasoning included
    cache_read_input_tokens     bigint NOT NULL,
    unpriced_tokens             bigint NOT NULL,  -- input and output of unpriced requests
    list_cost                   numeric NOT NULL,
    effective_cost              numeric NOT NULL,
    PRIMARY KEY (span, start, user_id)
) WITH (fillfactor = 80);
-- Who used most, without adding up everybody: see costs/leaders.py.
CREATE INDEX rollup_user_total_cost ON rollup_user_total (span, start, effective_cost DESC);

-- One row: a day whose rollup_user_day has changed since rollup_user_total was made of it. Spans
-- with such a day are not to be read.
CREATE TABLE rollup_unsettled (
    day         date PRIMARY KEY,
    touched_at  timestamptz NOT NULL
);

-- Latencies are counted in bins of equal ratio: bin b holds exp(0.029 b) milliseconds, give or take
-- 1.46 %. Written so that PostgreSQL inlines it.
CREATE FUNCTION latency_bin(milliseconds real) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN milliseconds <= 0.001 THEN -238
        ELSE round(ln(milliseconds::float8) / 0.029)::smallint
    END
$$;

-- A histogram is a run of 6-byte entries, bin (int2send) and count (int4send). Bins may repeat, so
-- two histograms are merged by joining them end to end; this gives each bin one entry again.
CREATE FUNCTION compact_histogram(histogram bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(string_agg(entry, '' ORDER BY entry), '')
    FROM (
        SELECT substr(histogram, at, 2) || int4send(sum(
            (get_byte(histogram, at + 1) << 24) | (get_byte(histogram, at + 2) << 16)
            | (get_byte(histogram, at + 3) << 8) | get_byte(histogram, at + 4)
        )::integer) AS entry
        FROM generate_series(1, length(histogram), 6) AS at
        GROUP BY substr(histogram, at, 2)
    ) AS bins
$$;

-- Joins two histograms, and compacts whenever another two kilobytes are full, which keeps both the
-- row and the work of compacting per entry (1.5 µs) small.
CREATE FUNCTION merge_histograms(held bytea, fresh bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN length(held) / 2048 = (length(held) + length(fresh)) / 2048 THEN held || fresh
        ELSE compact_histogram(held || fresh)
    END
$$;
