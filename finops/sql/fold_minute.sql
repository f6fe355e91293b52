-- Adds fresh_event to rollup_minute, but for what is older than minutes are kept: 48 hours before the
-- last fold. One row: one minute of one team, feature and model.
INSERT INTO rollup_minute AS held (
    minute, key_id,
    requests,
    unpriced_requests,
    errors,
    input_tokens,
    output_tokens,
    cache_read_input_tokens,
    list_cost,
    effective_cost,
    latency_count,
    latency_sum_ms
)
SELECT
    date_bin('1 minute', fresh.started_at, '2000-01-01T00:00:00Z') AS minute, minute_key.key_id,
    sum(weight),
    sum(unpriced),
    sum(is_error),
    sum(uncached_input_tokens) + sum(cache_read_input_tokens)
        + sum(cache_creation_5m_input_tokens) + sum(cache_creation_1h_input_tokens)
        + sum(input_audio_tokens),
    sum(text_output_tokens) + sum(reasoning_output_tokens) + sum(output_audio_tokens),
    sum(cache_read_input_tokens),
    coalesce(sum(effective_cost), 0) + coalesce(sum(discount), 0),
    coalesce(sum(effective_cost), 0),
    coalesce(sum(weight) FILTER (WHERE latency_ms IS NOT NULL), 0),
    coalesce(sum(latency_ms), 0)
FROM fresh_event AS fresh
JOIN minute_key USING (attribution_id)
WHERE fresh.started_at >= (SELECT folded_at - interval '48 hours' FROM rollup_state)
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (minute, key_id) DO UPDATE SET
    requests = held.requests + excluded.requests,
    unpriced_requests = held.unpriced_requests + excluded.unpriced_requests,
    errors = held.errors + excluded.errors,
    input_tokens = held.input_tokens + excluded.input_tokens,
    output_tokens = held.output_tokens + excluded.output_tokens,
    cache_read_input_tokens = held.cache_read_input_tokens + excluded.cache_read_input_tokens,
    list_cost = held.list_cost + excluded.list_cost,
    effective_cost = held.effective_cost + excluded.effective_cost,
    latency_count = held.latency_count + excluded.latency_count,
    latency_sum_ms = held.latency_sum_ms + excluded.latency_sum_ms
