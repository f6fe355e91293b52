-- One row: a line of the price ledger that is in force, past and future dates included.
SELECT
    id, kind, provider, model, fleet, cache, service_tier, context_over, daily_from, daily_to,
    effective_from, effective_to, discount_percent, source, author, note, currency,
    uncached_input_price, cache_read_input_price, cache_creation_5m_input_price,
    cache_creation_1h_input_price, input_audio_price, text_output_price, reasoning_output_price,
    output_audio_price, request_price, gpu_second_price
FROM price
WHERE superseded_at IS NULL
ORDER BY id
