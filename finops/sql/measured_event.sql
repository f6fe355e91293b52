-- One row: one event with the figures that rollups add up, as rollup columns name them. Costs that
-- are unknown count as nothing here, and the event as unpriced. Of a reversal all figures are below
-- zero, tokens and costs as they are stored.
CREATE OR REPLACE VIEW measured_event AS
SELECT
    usage_event.event_key,
    usage_event.batch_id,
    usage_event.day AS utc_day,
    usage_event.started_at,
    usage_event.attribution_id,
    usage_event.user_id,
    sign.weight AS requests,
    (usage_event.effective_cost IS NULL)::integer * sign.weight AS unpriced_requests,
    (attribution.status = 'error')::integer * sign.weight AS errors,
    tokens.input_tokens,
    tokens.output_tokens,
    usage_event.cache_read_input_tokens,
    usage_event.cache_creation_5m_input_tokens::bigint
        + usage_event.cache_creation_1h_input_tokens AS cache_creation_input_tokens,
    usage_event.reasoning_output_tokens,
    CASE
        WHEN usage_event.effective_cost IS NULL THEN tokens.input_tokens + tokens.output_tokens
        ELSE 0
    END AS unpriced_tokens,
    coalesce(usage_event.list_cost, 0) AS list_cost,
    coalesce(usage_event.effective_cost, 0) AS effective_cost,
    coalesce(usage_event.input_cost, 0) AS input_cost,
    coalesce(usage_event.cache_read_cost, 0) AS cache_read_cost,
    coalesce(usage_event.cache_creation_cost, 0) AS cache_creation_cost,
    coalesce(usage_event.output_cost, 0) AS output_cost,
    coalesce(usage_event.request_cost, 0) AS request_cost,
    coalesce(usage_event.gpu_seconds, 0) AS gpu_seconds,
    (usage_event.latency_ms IS NOT NULL)::integer * sign.weight AS latency_count,
    coalesce(round(usage_event.latency_ms)::integer, 0) * sign.weight AS latency_sum_ms,
    latency_bin(usage_event.latency_ms) AS latency_bin,
    latency_bin(usage_event.ttft_ms) AS ttft_bin
FROM usage_event
JOIN attribution ON attribution.id = usage_event.attribution_id
CROSS JOIN LATERAL (
    SELECT
        usage_event.uncached_input_tokens::bigint
        + usage_event.cache_read_input_tokens
        + usage_event.cache_creation_5m_input_tokens
        + usage_event.cache_creation_1h_input_tokens
        + usage_event.input_audio_tokens AS input_tokens,
        usage_event.text_output_tokens::bigint
        + usage_event.reasoning_output_tokens
        + usage_event.output_audio_tokens AS output_tokens
) AS tokens
CROSS JOIN LATERAL (
    SELECT CASE WHEN usage_event.reverses_key IS NULL THEN 1 ELSE -1 END AS weight
) AS sign
