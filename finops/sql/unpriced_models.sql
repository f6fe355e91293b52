-- One row: one model that has requests without a price, of %(teams)s only where that is not NULL.
-- has_line: a line of the ledger is for some of them, but says nothing of tokens that they used.
-- Reads just the events of the index usage_event_unpriced.
SELECT attribution.provider, attribution.model,
       sum(event.requests)::bigint AS requests, sum(event.tokens)::bigint AS tokens,
       min(event.since) AS since, max(event.latest) AS latest,
       array_agg(DISTINCT attribution.team ORDER BY attribution.team) AS teams,
       bool_or(event.has_line) AS has_line
FROM (
    SELECT attribution_id, count(*) AS requests,
           min(started_at) AS since, max(started_at) AS latest,
           bool_or(price_id IS NOT NULL) AS has_line,
           sum(uncached_input_tokens::bigint + cache_read_input_tokens
               + cache_creation_5m_input_tokens + cache_creation_1h_input_tokens
               + input_audio_tokens + text_output_tokens + reasoning_output_tokens
               + output_audio_tokens) AS tokens
    FROM usage_event
    WHERE effective_cost IS NULL
    GROUP BY attribution_id
) AS event
JOIN attribution ON attribution.id = event.attribution_id
WHERE %(teams)s::text[] IS NULL OR attribution.team = ANY (%(teams)s::text[])
GROUP BY attribution.provider, attribution.model
ORDER BY requests DESC, attribution.provider, attribution.model
LIMIT %(limit)s
