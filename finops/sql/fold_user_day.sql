-- Adds fresh_event, and fresh_user_day, to rollup_user_day: a fold fills the one, a rebuild the other.
-- One row: one day of one user in one attribution.
INSERT INTO rollup_user_day AS held (
    day, attribution_id, user_id,
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
SELECT *
FROM (
    SELECT
        day, attribution_id, user_id,
        sum(weight),
        sum(unpriced),
        sum(is_error),
        sum(uncached_input_tokens) + sum(cache_read_input_tokens)
            + sum(cache_creation_5m_input_tokens) + sum(cache_creation_1h_input_tokens)
            + sum(input_audio_tokens),
        sum(text_output_tokens) + sum(reasoning_output_tokens) + sum(output_audio_tokens),
        sum(cache_read_input_tokens),
        coalesce(sum(
            uncached_input_tokens::bigint + cache_read_input_tokens
            + cache_creation_5m_input_tokens + cache_creation_1h_input_tokens + input_audio_tokens
            + text_output_tokens + reasoning_output_tokens + output_audio_tokens
        ) FILTER (WHERE unpriced <> 0), 0),
        coalesce(sum(effective_cost), 0) + coalesce(sum(discount), 0),
        coalesce(sum(effective_cost), 0)
    FROM fresh_event
    GROUP BY day, attribution_id, user_id
    UNION ALL
    SELECT * FROM fresh_user_day
) AS fresh
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
