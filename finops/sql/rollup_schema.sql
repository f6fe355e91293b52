-- The rollups: sums of the events of folded batches, at coarsening grains. Hours and days are those
-- of the reporting zone. Everything here can be made again from usage_event: see rollups.py.

-- One row: the zone whose hours and days the rollups hold. No row before the first fold.
CREATE TABLE rollup_state (
    id         boolean PRIMARY KEY DEFAULT true CHECK (id),
    zone       text NOT NULL,
    folded_at  timestamptz NOT NULL  -- when the folding task last looked for batches
);

-- One row: one hour of one attribution. Histograms are as compact_histogram reads them.
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
    latency_sum_us              bigint NOT NULL,  -- microseconds
    latency_histogram           bytea NOT NULL DEFAULT '',
    ttft_histogram              bytea NOT NULL DEFAULT '',
    PRIMARY KEY (hour, attribution_id)
) WITH (fillfactor = 70);

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
    latency_sum_us              bigint NOT NULL,  -- microseconds
    latency_histogram           bytea NOT NULL DEFAULT '',
    ttft_histogram              bytea NOT NULL DEFAULT '',
    PRIMARY KEY (day, attribution_id)
) WITH (fillfactor = 70);

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
    latency_sum_us              bigint NOT NULL,  -- microseconds
    PRIMARY KEY (day, attribution_id, user_id)
) WITH (fillfactor = 70);

-- One row: one day of one user, folded from rollup_user_day.
CREATE TABLE rollup_user_day_total (
    day                         date NOT NULL,
    user_id                     integer NOT NULL,
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
    latency_sum_us              bigint NOT NULL,  -- microseconds
    PRIMARY KEY (day, user_id)
) WITH (fillfactor = 70);

-- One row: one calendar month of one user, folded from rollup_user_day_total.
CREATE TABLE rollup_user_month (
    month                       date NOT NULL,  -- its first day
    user_id                     integer NOT NULL,
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
    latency_sum_us              bigint NOT NULL,  -- microseconds
    PRIMARY KEY (month, user_id)
) WITH (fillfactor = 70);

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

-- Joins two histograms, and compacts whenever another kilobyte is full: the work of compacting stays
-- small per entry, and a row stays small enough not to be moved out of its page.
CREATE FUNCTION merge_histograms(held bytea, fresh bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN length(held) / 1024 = (length(held) + length(fresh)) / 1024 THEN held || fresh
        ELSE compact_histogram(held || fresh)
    END
$$;
