-- Adds up fresh_event into fresh_hour. One row: one hour of one attribution. Sums of integers and
-- sums that a FILTER skips need no memory per group, which is most of what this statement costs.
INSERT INTO fresh_hour (
    hour, attribution_id,
    requests,
    unpriced_requests,
    errors,
    input_tokens,
    output_tokens,
    cache_read_input_tokens,
    cache_creation_input_tokens,
    reasoning_output_tokens,
    unpriced_tokens,
    list_cost,
    effective_cost,
    input_cost,
    cache_read_cost,
    cache_creation_cost,
    output_cost,
    request_cost,
    gpu_seconds,
    latency_count,
    latency_sum_ms,
    latency_histogram,
    ttft_histogram
)
SELECT
    hour, attribution_id,
    sum(weight),
    sum(unpriced),
    sum(is_error),
    sum(uncached_input_tokens) + sum(cache_read_input_tokens)
        + sum(cache_creation_5m_input_tokens) + sum(cache_creation_1h_input_tokens)
        + sum(input_audio_tokens),
    sum(text_output_tokens) + sum(reasoning_output_tokens) + sum(output_audio_tokens),
    sum(cache_read_input_tokens),
    sum(cache_creation_5m_input_tokens) + sum(cache_creation_1h_input_tokens),
    sum(reasoning_output_tokens),
    coalesce(
        sum(
            uncached_input_tokens::bigint + cache_read_input_tokens
            + cache_creation_5m_input_tokens + cache_creation_1h_input_tokens
            + input_audio_tokens
            + text_output_tokens + reasoning_output_tokens + output_audio_tokens
        ) FILTER (WHERE unpriced <> 0),
        0
    ),
    coalesce(sum(effective_cost), 0) + coalesce(sum(discount), 0),
    coalesce(sum(effective_cost), 0),
    coalesce(sum(input_cost), 0),
    coalesce(sum(cache_read_cost), 0),
    coalesce(sum(cache_creation_cost), 0),
    coalesce(sum(output_cost), 0),
    coalesce(sum(request_cost), 0),
    coalesce(sum(gpu_seconds), 0),
    coalesce(sum(weight) FILTER (WHERE latency_ms IS NOT NULL), 0),
    coalesce(sum(latency_ms), 0),
    -- One entry per event; only long histograms gain from compacting before they are merged.
    CASE
        WHEN count(latency_bin) > 100
            THEN compact_histogram(string_agg(int2send(latency_bin) || int4send(weight), ''))
        ELSE coalesce(string_agg(int2send(latency_bin) || int4send(weight), ''), '')
    END,
    CASE
        WHEN count(ttft_bin) > 100
            THEN compact_histogram(string_agg(int2send(ttft_bin) || int4send(weight), ''))
        ELSE coalesce(string_agg(int2send(ttft_bin) || int4send(weight), ''), '')
    END
FROM fresh_event
GROUP BY hour, attribution_id
