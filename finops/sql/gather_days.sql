-- Gathers the folded events of whole days again. One row: one event. Uses the index
-- usage_event_started_at of those days.
INSERT INTO fresh_event
SELECT
    date_trunc('hour', usage_event.started_at, %(zone)s),
    (usage_event.started_at AT TIME ZONE %(zone)s)::date,
    usage_event.attribution_id,
    usage_event.user_id,
    (usage_event.effective_cost IS NULL)::integer,
    (attribution.status = 'error')::integer,
    usage_event.uncached_input_tokens,
    usage_event.cache_read_input_tokens,
    usage_event.cache_creation_5m_input_tokens,
    usage_event.cache_creation_1h_input_tokens,
    usage_event.input_audio_tokens,
    usage_event.text_output_tokens,
    usage_event.reasoning_output_tokens,
    usage_event.output_audio_tokens,
    CASE
        WHEN usage_event.contract_price_id IS NOT NULL
            THEN usage_event.list_cost - usage_event.effective_cost
    END,
    usage_event.effective_cost,
    nullif(usage_event.input_cost, 0),
    nullif(usage_event.cache_read_cost, 0),
    nullif(usage_event.cache_creation_cost, 0),
    nullif(usage_event.output_cost, 0),
    nullif(usage_event.request_cost, 0),
    nullif(usage_event.gpu_seconds, 0),
    round(usage_event.latency_ms)::integer,
    latency_bin(usage_event.latency_ms),
    latency_bin(usage_event.ttft_ms)
FROM usage_event
JOIN attribution ON attribution.id = usage_event.attribution_id
JOIN ingest_batch ON ingest_batch.id = usage_event.batch_id
WHERE usage_event.started_at >= %(start)s
    AND usage_event.started_at < %(end)s
    AND usage_event.day >= (%(start)s AT TIME ZONE 'UTC')::date
    AND usage_event.day <= (%(end)s AT TIME ZONE 'UTC')::date
    AND ingest_batch.folded_at IS NOT NULL
