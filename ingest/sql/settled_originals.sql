-- One row: one event that settlements are about, with the settlement in force, if there is one, and
-- whether the row of that is folded.
SELECT
    event.event_key, event.day, event.started_at, event.attribution_id, event.user_id,
    event.price_id, event.contract_price_id, event.fixing_id,
    ARRAY[
        event.uncached_input_tokens, event.cache_read_input_tokens,
        event.cache_creation_5m_input_tokens, event.cache_creation_1h_input_tokens,
        event.input_audio_tokens, event.text_output_tokens, event.reasoning_output_tokens,
        event.output_audio_tokens
    ] AS tokens,
    event.latency_ms, event.ttft_ms, event.quality, event.normalised, event.gpu_seconds,
    event.reported_cost, event.session, event.prompt_hash, event.stages_ms, event.tags,
    ARRAY[
        attribution.provider, attribution.model, attribution.operation, attribution.service,
        attribution.feature, attribution.team, attribution.environment, attribution.region,
        attribution.latency_tier, attribution.service_tier, attribution.status, attribution.cache,
        attribution.fleet, attribution.variant
    ] AS dimensions,
    attribution.tags AS dimension_tags,
    settlement.event_key AS in_force,
    settlement.made_at,
    settlement.event_key IS NULL OR batch.folded_at IS NOT NULL AS is_folded
FROM usage_event AS event
JOIN attribution ON attribution.id = event.attribution_id
LEFT JOIN settlement
    ON settlement.original_key = event.event_key AND settlement.day = event.day
    AND settlement.in_force
LEFT JOIN usage_event AS settled
    ON settled.event_key = settlement.event_key AND settled.day = settlement.day
    AND settled.day = ANY(%(days)s)
LEFT JOIN ingest_batch AS batch ON batch.id = settled.batch_id
WHERE event.event_key = ANY(%(keys)s)
    AND event.day = ANY(%(days)s)
    AND event.reverses_key IS NULL
