-- Puts the hours of difference, or its days, where fold_hour.sql and fold_day.sql add from. One row:
-- one hour of one attribution; a day is its noon.
DELETE FROM fresh_hour;
INSERT INTO fresh_hour (
    hour, attribution_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens, list_cost,
    effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
)
SELECT
    hour, attribution_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens, list_cost,
    effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
FROM difference
WHERE is_day = %(is_day)s
