-- Puts difference_day where fold_day.sql adds from: as an hour of that day. One row: one day of one
-- attribution.
DELETE FROM fresh_hour;
INSERT INTO fresh_hour (
    hour, attribution_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens, list_cost,
    effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
)
SELECT
    (day + time '12:00') AT TIME ZONE %(zone)s, attribution_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens, list_cost,
    effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
FROM difference_day
