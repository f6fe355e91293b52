-- One row: one event with what a fold adds up. Parts of a cost that are 0 are NULL: sums skip those
-- at no cost, and adding exact decimals up is most of what a fold does. Of a reversal everything but
-- the bins is below zero: weight is -1, tokens and costs are stored so.
CREATE OR REPLACE VIEW foldable_event AS
SELECT
    event.batch_id,
    event.day AS utc_day,
    event.started_at,
    event.attribution_id,
    event.user_id,
    (event.effective_cost IS NULL)::integer * sign.weight AS unpriced,
    (attribution.status = 'error')::integer * sign.weight AS is_error,
    event.uncached_input_tokens,
    event.cache_read_input_tokens,
    event.cache_creation_5m_input_tokens,
    event.cache_creation_1h_input_tokens,
    event.input_audio_tokens,
    event.text_output_tokens,
    event.reasoning_output_tokens,
    event.output_audio_tokens,
    nullif(event.list_cost - event.effective_cost, 0) AS discount,  -- hardly any request has one
    event.effective_cost,
    nullif(event.input_cost, 0) AS input_cost,
    nullif(event.cache_read_cost, 0) AS cache_read_cost,
    nullif(event.cache_creation_cost, 0) AS cache_creation_cost,
    nullif(event.output_cost, 0) AS output_cost,
    nullif(event.request_cost, 0) AS request_cost,
    nullif(event.gpu_seconds, 0) AS gpu_seconds,
    round(event.latency_ms)::integer * sign.weight AS latency_ms,
    latency_bin(event.latency_ms) AS latency_bin,
    latency_bin(event.ttft_ms) AS ttft_bin,
    sign.weight
FROM usage_event AS event
JOIN attribution ON attribution.id = event.attribution_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN event.reverses_key IS NULL THEN 1 ELSE -1 END AS weight
) AS sign
