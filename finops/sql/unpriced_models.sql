-- One row: one model that has requests without a price, of %(teams)s only where that is not NULL.
-- without_line: those of them that no line of the ledger is for. Then, bucket by bucket, the requests
-- that use it and have a line that says nothing of it, last those with a price of GPU time that was
-- not reported; then, bucket by bucket, all that use it.
-- Reads just the events of the index usage_event_unpriced.
SELECT attribution.provider, attribution.model,
       sum(event.requests)::bigint AS requests, sum(event.tokens)::bigint AS tokens,
       min(event.since) AS since, max(event.latest) AS latest,
       array_agg(DISTINCT attribution.team ORDER BY attribution.team) AS teams,
       coalesce(sum(event.requests) FILTER (WHERE event.price_id IS NULL), 0)::bigint AS without_line,
       sum(event.uncached_input) FILTER (WHERE list.id IS NOT NULL
           AND list.uncached_input_price IS NULL AND contract.uncached_input_price IS NULL),
       sum(event.cache_read_input) FILTER (WHERE list.id IS NOT NULL
           AND list.cache_read_input_price IS NULL AND contract.cache_read_input_price IS NULL),
       sum(event.cache_creation_5m_input) FILTER (WHERE list.id IS NOT NULL
           AND list.cache_creation_5m_input_price IS NULL AND contract.cache_creation_5m_input_price IS NULL),
       sum(event.cache_creation_1h_input) FILTER (WHERE list.id IS NOT NULL
           AND list.cache_creation_1h_input_price IS NULL AND contract.cache_creation_1h_input_price IS NULL),
       sum(event.input_audio) FILTER (WHERE list.id IS NOT NULL
           AND list.input_audio_price IS NULL AND contract.input_audio_price IS NULL),
       sum(event.text_output) FILTER (WHERE list.id IS NOT NULL
           AND list.text_output_price IS NULL AND contract.text_output_price IS NULL),
       sum(event.reasoning_output) FILTER (WHERE list.id IS NOT NULL
           AND list.reasoning_output_price IS NULL AND contract.reasoning_output_price IS NULL),
       sum(event.output_audio) FILTER (WHERE list.id IS NOT NULL
           AND list.output_audio_price IS NULL AND contract.output_audio_price IS NULL),
       sum(event.without_time) FILTER (
           WHERE coalesce(contract.gpu_second_price, list.gpu_second_price, 0) > 0),
       sum(event.uncached_input),
       sum(event.cache_read_input),
       sum(event.cache_creation_5m_input),
       sum(event.cache_creation_1h_input),
       sum(event.input_audio),
       sum(event.text_output),
       sum(event.reasoning_output),
       sum(event.output_audio),
       0 AS gpu_second
FROM (
    SELECT attribution_id, price_id, contract_price_id, sum(weight) AS requests,
           min(started_at) AS since, max(started_at) AS latest,
           sum(uncached_input_tokens::bigint + cache_read_input_tokens
               + cache_creation_5m_input_tokens + cache_creation_1h_input_tokens
               + input_audio_tokens + text_output_tokens + reasoning_output_tokens
               + output_audio_tokens) AS tokens,
           coalesce(sum(weight) FILTER (WHERE uncached_input_tokens <> 0), 0) AS uncached_input,
           coalesce(sum(weight) FILTER (WHERE cache_read_input_tokens <> 0), 0) AS cache_read_input,
           coalesce(sum(weight) FILTER (WHERE cache_creation_5m_input_tokens <> 0), 0) AS cache_creation_5m_input,
           coalesce(sum(weight) FILTER (WHERE cache_creation_1h_input_tokens <> 0), 0) AS cache_creation_1h_input,
           coalesce(sum(weight) FILTER (WHERE input_audio_tokens <> 0), 0) AS input_audio,
           coalesce(sum(weight) FILTER (WHERE text_output_tokens <> 0), 0) AS text_output,
           coalesce(sum(weight) FILTER (WHERE reasoning_output_tokens <> 0), 0) AS reasoning_output,
           coalesce(sum(weight) FILTER (WHERE output_audio_tokens <> 0), 0) AS output_audio,
           coalesce(sum(weight) FILTER (WHERE gpu_seconds IS NULL), 0) AS without_time
    FROM usage_event
    CROSS JOIN LATERAL (SELECT CASE WHEN reverses_key IS NULL THEN 1 ELSE -1 END AS weight) AS sign
    WHERE effective_cost IS NULL
    GROUP BY attribution_id, price_id, contract_price_id
) AS event
JOIN attribution ON attribution.id = event.attribution_id
LEFT JOIN price AS list ON list.id = event.price_id
LEFT JOIN price AS contract ON contract.id = event.contract_price_id
WHERE %(teams)s::text[] IS NULL OR attribution.team = ANY (%(teams)s::text[])
GROUP BY attribution.provider, attribution.model
-- Those whose figures were all replaced are in no request any more.
HAVING sum(event.requests) > 0
ORDER BY requests DESC, attribution.provider, attribution.model
LIMIT %(limit)s
