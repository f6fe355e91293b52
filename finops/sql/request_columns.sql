-- One row: one request, with its attribution, its user and its batch; or a reversal of one. What
-- costs/owners.py joins follows.
SELECT
    usage.event_id, usage.event_key, ingest_batch.source, usage.started_at,
    ingest_batch.received_at, ingest_batch.format,
    attribution.provider, attribution.model, attribution.operation, attribution.service,
    attribution.feature, attribution.team,
    CASE
        WHEN user_owner.position < coalesce(rule_owner.position, 2147483647)
        THEN user_owner.cost_center
        ELSE coalesce(rule_owner.cost_center, team_owner.cost_center)
    END AS cost_center,
    end_user.name,
    attribution.environment, attribution.region, attribution.latency_tier,
    attribution.service_tier, attribution.status, attribution.cache, attribution.fleet,
    attribution.variant,
    usage.tags, usage.session,
    usage.uncached_input_tokens, usage.cache_read_input_tokens,
    usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens,
    usage.input_audio_tokens, usage.text_output_tokens, usage.reasoning_output_tokens,
    usage.output_audio_tokens,
    usage.latency_ms, usage.ttft_ms, usage.stages_ms, usage.quality, usage.gpu_seconds,
    usage.prompt_hash, usage.normalised,
    usage.input_cost, usage.cache_read_cost, usage.cache_creation_cost, usage.output_cost,
    usage.request_cost, usage.effective_cost, usage.list_cost,
    usage.reported_cost, usage.price_id, usage.contract_price_id, usage.fixing_id,
    usage.reverses_key, usage.corrects_key
FROM usage_event AS usage
JOIN ingest_batch ON ingest_batch.id = usage.batch_id
JOIN attribution ON attribution.id = usage.attribution_id
JOIN end_user ON end_user.id = usage.user_id
