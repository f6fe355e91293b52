-- One row: the reversal of one event, which is that event with every figure below zero. What an event
-- was not priced at, its reversal is not either.
INSERT INTO usage_event (
    event_key, started_at, batch_id, day, attribution_id, user_id, price_id, contract_price_id, fixing_id,
    uncached_input_tokens, cache_read_input_tokens,
    cache_creation_5m_input_tokens, cache_creation_1h_input_tokens,
    input_audio_tokens, text_output_tokens, reasoning_output_tokens, output_audio_tokens,
    latency_ms, ttft_ms, quality, normalised, gpu_seconds,
    input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    effective_cost, list_cost, reported_cost,
    event_id, session, prompt_hash, tags, reverses_key
)
SELECT reversal.event_key, event.started_at, reversal.batch_id, event.day,
       event.attribution_id, event.user_id, event.price_id, event.contract_price_id,
       event.fixing_id,
       -event.uncached_input_tokens, -event.cache_read_input_tokens,
       -event.cache_creation_5m_input_tokens, -event.cache_creation_1h_input_tokens,
       -event.input_audio_tokens, -event.text_output_tokens,
       -event.reasoning_output_tokens, -event.output_audio_tokens,
       event.latency_ms, event.ttft_ms, event.quality, event.normalised, -event.gpu_seconds,
       -event.input_cost, -event.cache_read_cost, -event.cache_creation_cost,
       -event.output_cost, -event.request_cost, -event.effective_cost, -event.list_cost,
       -event.reported_cost,
       event.event_id, event.session, event.prompt_hash, event.tags, event.event_key
FROM unnest(
    %(reversed)s::uuid[], %(day)s::date[], %(event_key)s::uuid[], %(batch_id)s::bigint[]
) AS reversal (reverses_key, day, event_key, batch_id)
JOIN usage_event AS event
    ON event.event_key = reversal.reverses_key AND event.day = reversal.day
WHERE event.day = ANY(%(day)s::date[])
