-- One row: one event as it is kept, with its costs; the columns in the order that rows.py writes.
-- An event that is there already violates the primary key (event_key, day) of the day's partition.
COPY usage_event (
    event_key, started_at, batch_id, day, attribution_id, user_id,
    uncached_input_tokens, cache_read_input_tokens,
    cache_creation_5m_input_tokens, cache_creation_1h_input_tokens,
    input_audio_tokens, text_output_tokens, reasoning_output_tokens, output_audio_tokens,
    normalised, price_id, contract_price_id, fixing_id,
    input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    effective_cost, list_cost,
    latency_ms, ttft_ms, quality, gpu_seconds, reported_cost,
    event_id, session, prompt_hash, stages_ms, tags
) FROM STDIN (FORMAT binary)
