-- Adds fresh_user_day to rollup_user_day_total. One row: one day of one user.
INSERT INTO rollup_user_day_total AS held (
    day, user_id,
    requests,
    unpriced_requests,
    errors,
    input_tokens,
    output_tokens,
    cache_read_input_tokens,
    unpriced_tokens,
    list_cost,
    effective_cost
)
SELECT
    day, user_id,
    sum(requests),
    sum(unpriced_requests),
    sum(errors),
    sum(input_tokens),
    sum(output_tokens),
    sum(cache_read_input_tokens),
    sum(unpriced_tokens),
    sum(list_cost),
    sum(effective_cost)
FROM fresh_user_day
GROUP BY day, user_id
ORDER BY day, user_id
ON CONFLICT (day, user_id) DO UPDATE SET
    requests = held.requests + excluded.requests,
    unpriced_requests = held.unpriced_requests + excluded.unpriced_requests,
    errors = held.errors + excluded.errors,
    input_tokens = held.input_tokens + excluded.input_tokens,
    output_tokens = held.output_tokens + excluded.output_tokens,
    cache_read_input_tokens = held.cache_read_input_tokens + excluded.cache_read_input_tokens,
    unpriced_tokens = held.unpriced_tokens + excluded.unpriced_tokens,
    list_cost = held.list_cost + excluded.list_cost,
    effective_cost = held.effective_cost + excluded.effective_cost
