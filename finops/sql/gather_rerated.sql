-- One row: one event of [%(start)s, %(end)s) with what it costs by the rates of rate_window beside
-- what it was rated at. Reads the partitions of its UTC days, and of them just the index
-- usage_event_unpriced where only unpriced events are asked for. A reversal is rated as what it
-- reverses, with the same lines, and costs as much below zero.
CREATE TEMPORARY TABLE rerated_event ON COMMIT DROP AS
SELECT event.event_key, event.day, event.started_at, event.attribution_id, event.user_id,
       event.batch_id, sign.weight,
       event.uncached_input_tokens::bigint + event.cache_read_input_tokens
           + event.cache_creation_5m_input_tokens + event.cache_creation_1h_input_tokens
           + event.input_audio_tokens + event.text_output_tokens
           + event.reasoning_output_tokens + event.output_audio_tokens AS tokens,
       event.effective_cost AS cost_before,
       event.list_cost AS list_cost_before,
       event.input_cost AS input_cost_before,
       event.cache_read_cost AS cache_read_cost_before,
       event.cache_creation_cost AS cache_creation_cost_before,
       event.output_cost AS output_cost_before,
       event.request_cost AS request_cost_before,
       list.id AS price_id, contract.id AS contract_price_id, rate.fixing_id,
       cost.*,
       (event.price_id, event.contract_price_id, event.fixing_id,
        event.input_cost, event.cache_read_cost, event.cache_creation_cost, event.output_cost,
        event.request_cost, event.effective_cost, event.list_cost)
       IS DISTINCT FROM
       (list.id, contract.id, rate.fixing_id,
        cost.input_cost, cost.cache_read_cost, cost.cache_creation_cost, cost.output_cost,
        cost.request_cost, cost.effective_cost, cost.list_cost) AS is_changed
FROM usage_event AS event
JOIN attribution ON attribution.id = event.attribution_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN event.reverses_key IS NULL THEN 1 ELSE -1 END AS weight
) AS sign
LEFT JOIN rate_window AS rate
    ON rate.attribution_id = event.attribution_id
    AND event.started_at >= coalesce(rate.starts, '-infinity')
    AND event.started_at < coalesce(rate.ends, 'infinity')
    AND (event.started_at AT TIME ZONE 'UTC')::time >= coalesce(rate.daily_from, '00:00')
    AND (event.started_at AT TIME ZONE 'UTC')::time < coalesce(rate.daily_to, '24:00')
    AND abs(event.uncached_input_tokens::bigint + event.cache_read_input_tokens
        + event.cache_creation_5m_input_tokens + event.cache_creation_1h_input_tokens
        + event.input_audio_tokens)
        BETWEEN coalesce(rate.input_over + 1, 0) AND coalesce(rate.input_to, 9223372036854775807)
LEFT JOIN price AS list ON list.id = rate.price_id
LEFT JOIN price AS contract ON contract.id = rate.contract_price_id
CROSS JOIN LATERAL rate_usage(
    event.uncached_input_tokens * sign.weight, event.cache_read_input_tokens * sign.weight,
    event.cache_creation_5m_input_tokens * sign.weight,
    event.cache_creation_1h_input_tokens * sign.weight,
    event.input_audio_tokens * sign.weight, event.text_output_tokens * sign.weight,
    event.reasoning_output_tokens * sign.weight, event.output_audio_tokens * sign.weight,
    event.gpu_seconds * sign.weight, list, contract, rate.list_factor, rate.contract_factor
) AS amount
CROSS JOIN LATERAL (
    SELECT
        amount.input_cost * sign.weight AS input_cost,
        amount.cache_read_cost * sign.weight AS cache_read_cost,
        amount.cache_creation_cost * sign.weight AS cache_creation_cost,
        amount.output_cost * sign.weight AS output_cost,
        amount.request_cost * sign.weight AS request_cost,
        amount.effective_cost * sign.weight AS effective_cost,
        amount.list_cost * sign.weight AS list_cost
) AS cost
WHERE event.day BETWEEN %(first_day)s AND %(last_day)s
  AND event.started_at >= %(start)s AND event.started_at < %(end)s
  AND (NOT %(only_unpriced)s OR event.effective_cost IS NULL)
  -- What ingest rated these by is not known any more: see skipped_events.sql.
  AND (event.effective_cost IS NULL
       OR '(overflow)' <> ALL (ARRAY[attribution.provider, attribution.model,
                                     attribution.service_tier, attribution.cache,
                                     attribution.fleet]))
