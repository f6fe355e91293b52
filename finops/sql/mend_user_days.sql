-- Adds difference_user_day to rollup_user_day. One row: one day of one user in one attribution.
INSERT INTO rollup_user_day AS held (
    day, attribution_id, user_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    unpriced_tokens, list_cost, effective_cost
)
SELECT
    day, attribution_id, user_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    unpriced_tokens, list_cost, effective_cost
FROM difference_user_day
ORDER BY day, attribution_id, user_id
ON CONFLICT (day, attribution_id, user_id) DO UPDATE SET
    requests = held.requests + excluded.requests,
    unpriced_requests = held.unpriced_requests + excluded.unpriced_requests,
    errors = held.errors + excluded.errors,
    input_tokens = held.input_tokens + excluded.input_tokens,
    output_tokens = held.output_tokens + excluded.output_tokens,
    cache_read_input_tokens = held.cache_read_input_tokens + excluded.cache_read_input_tokens,
    unpriced_tokens = held.unpriced_tokens + excluded.unpriced_tokens,
    list_cost = held.list_cost + excluded.list_cost,
    effective_cost = held.effective_cost + excluded.effective_cost
