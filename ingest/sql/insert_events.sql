-- One row: one staged event, priced, as it is kept forever. Every event_key is staged once. An
-- event that is there already violates the primary key (event_key, day) of the day's partition.
INSERT INTO usage_event (
    event_key, started_at, batch_id, day, attribution_id, user_id, price_id, contract_price_id,
    uncached_input_tokens, cache_read_input_tokens,
    cache_creation_5m_input_tokens, cache_creation_1h_input_tokens,
    input_audio_tokens, text_output_tokens, reasoning_output_tokens, output_audio_tokens,
    latency_ms, ttft_ms, quality, normalised, gpu_seconds,
    input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    effective_cost, list_cost, reported_cost,
    event_id, session, prompt_hash, stages_ms, tags
)
SELECT staged.event_key, staged.started_at, staged.batch_id, staged.day,
       staged.attribution_id, staged.user_id, staged.price_id, staged.contract_price_id,
       staged.uncached_input_tokens, staged.cache_read_input_tokens,
       staged.cache_creation_5m_input_tokens, staged.cache_creation_1h_input_tokens,
       staged.input_audio_tokens, staged.text_output_tokens,
       staged.reasoning_output_tokens, staged.output_audio_tokens,
       staged.latency_ms, staged.ttft_ms, staged.quality, staged.normalised, staged.gpu_seconds,
       cost.input_cost, cost.cache_read_cost, cost.cache_creation_cost,
       cost.output_cost, cost.request_cost, cost.effective_cost, cost.list_cost,
       staged.reported_cost,
       staged.event_id, staged.session, staged.prompt_hash, staged.stages_ms, staged.tags
FROM staged_event AS staged
LEFT JOIN price AS list ON list.id = staged.price_id
LEFT JOIN price AS contract ON contract.id = staged.contract_price_id
CROSS JOIN LATERAL rate_usage(
    staged.uncached_input_tokens, staged.cache_read_input_tokens,
    staged.cache_creation_5m_input_tokens, staged.cache_creation_1h_input_tokens,
    staged.input_audio_tokens, staged.text_output_tokens, staged.reasoning_output_tokens,
    staged.output_audio_tokens, staged.gpu_seconds, list, contract
) AS cost
