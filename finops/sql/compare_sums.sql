-- What fresh_hour holds more than rollup_hour and than rollup_day of the same whole days, less than zero
-- where less. One row: one hour, or one day as its noon, of one attribution that differs.
INSERT INTO difference (
    is_day, hour, attribution_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens, list_cost,
    effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
)
WITH held AS (
    SELECT false AS is_day, rollup_hour.*
    FROM rollup_hour
    WHERE hour >= %(start)s AND hour < %(end)s
    UNION ALL
    SELECT
        true, (day + time '12:00') AT TIME ZONE %(zone)s, attribution_id,
        requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
        cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens, list_cost,
        effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
        gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
    FROM rollup_day
    WHERE day >= %(first_day)s AND day < %(end_day)s
),
-- Histograms are joined with nothing, so that they are decompressed once and not for each byte.
sides AS MATERIALIZED (
    SELECT
        is_day,
        CASE
            WHEN is_day
            THEN ((hour AT TIME ZONE %(zone)s)::date + time '12:00') AT TIME ZONE %(zone)s
            ELSE hour
        END AS hour,
        attribution_id,
        requests, unpriced_requests, errors, input_tokens, output_tokens,
        cache_read_input_tokens, cache_creation_input_tokens, reasoning_output_tokens,
        unpriced_tokens, list_cost, effective_cost, input_cost, cache_read_cost,
        cache_creation_cost, output_cost, request_cost, gpu_seconds, latency_count,
        latency_sum_ms, latency_histogram || ''::bytea AS latency_histogram,
        ttft_histogram || ''::bytea AS ttft_histogram, 1 AS sign
    FROM fresh_hour
    CROSS JOIN (VALUES (false), (true)) AS grain (is_day)
    UNION ALL
    SELECT
        is_day, hour, attribution_id,
        -requests, -unpriced_requests, -errors, -input_tokens, -output_tokens,
        -cache_read_input_tokens, -cache_creation_input_tokens, -reasoning_output_tokens,
        -unpriced_tokens, -list_cost, -effective_cost, -input_cost, -cache_read_cost,
        -cache_creation_cost, -output_cost, -request_cost, -gpu_seconds, -latency_count,
        -latency_sum_ms, latency_histogram || ''::bytea, ttft_histogram || ''::bytea, -1
    FROM held
),
sums AS (
    SELECT
        is_day, hour, attribution_id,
        sum(requests) AS requests, sum(unpriced_requests) AS unpriced_requests,
        sum(errors) AS errors, sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cache_read_input_tokens) AS cache_read_input_tokens,
        sum(cache_creation_input_tokens) AS cache_creation_input_tokens,
        sum(reasoning_output_tokens) AS reasoning_output_tokens,
        sum(unpriced_tokens) AS unpriced_tokens, sum(list_cost) AS list_cost,
        sum(effective_cost) AS effective_cost, sum(input_cost) AS input_cost,
        sum(cache_read_cost) AS cache_read_cost, sum(cache_creation_cost) AS cache_creation_cost,
        sum(output_cost) AS output_cost, sum(request_cost) AS request_cost,
        sum(gpu_seconds) AS gpu_seconds, sum(latency_count) AS latency_count,
        sum(latency_sum_ms) AS latency_sum_ms
    FROM sides
    GROUP BY is_day, hour, attribution_id
),
-- Both histograms taken apart into their bins: those that do not cancel out.
bins AS (
    SELECT
        is_day, hour, attribution_id, is_latency,
        substr(histogram, at, 2) AS bin,
        sum(sign * (
            (get_byte(histogram, at + 1) << 24) | (get_byte(histogram, at + 2) << 16)
            | (get_byte(histogram, at + 3) << 8) | get_byte(histogram, at + 4)
        ))::integer AS requests
    FROM sides
    CROSS JOIN LATERAL (
        VALUES (true, latency_histogram), (false, ttft_histogram)
    ) AS histograms (is_latency, histogram)
    CROSS JOIN LATERAL generate_series(1, length(histogram), 6) AS at
    GROUP BY is_day, hour, attribution_id, is_latency, bin
),
histograms AS (
    SELECT
        is_day, hour, attribution_id,
        string_agg(bin || int4send(requests), '' ORDER BY bin) FILTER (WHERE is_latency)
            AS latency_histogram,
        string_agg(bin || int4send(requests), '' ORDER BY bin) FILTER (WHERE NOT is_latency)
            AS ttft_histogram
    FROM bins
    WHERE requests <> 0
    GROUP BY is_day, hour, attribution_id
)
SELECT sums.*, coalesce(latency_histogram, ''), coalesce(ttft_histogram, '')
FROM sums
LEFT JOIN histograms USING (is_day, hour, attribution_id)
WHERE histograms.hour IS NOT NULL
    OR num_nonnulls(
        nullif(requests, 0), nullif(unpriced_requests, 0), nullif(errors, 0),
        nullif(input_tokens, 0), nullif(output_tokens, 0), nullif(cache_read_input_tokens, 0),
        nullif(cache_creation_input_tokens, 0), nullif(reasoning_output_tokens, 0),
        nullif(unpriced_tokens, 0), nullif(list_cost, 0), nullif(effective_cost, 0),
        nullif(input_cost, 0), nullif(cache_read_cost, 0), nullif(cache_creation_cost, 0),
        nullif(output_cost, 0), nullif(request_cost, 0), nullif(gpu_seconds, 0),
        nullif(latency_count, 0), nullif(latency_sum_ms, 0)
    ) > 0
