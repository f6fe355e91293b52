-- One row: the events of [%(start)s, %(end)s) of one request of rated_request that are rated with the
-- same lines and exchange rates, would be rated with the same ones by rate_window, and use the same buckets. What they
-- would cost together is then linear in their sums: nothing is rated event by event. Stored costs
-- are sums over priced events; gpu_seconds is NULL where none were sent. Reversals are in the group of
-- what they reverse and take it out of every sum; the last column counts rows.
SELECT rated.request,
       event.price_id AS price_before, event.contract_price_id AS contract_before,
       event.fixing_id AS fixing_before,
       rate.price_id, rate.contract_price_id, rate.fixing_id,
       event.effective_cost IS NULL AS is_unpriced,
       rated.is_folded AND event.effective_cost IS NOT NULL AS is_skipped,
       coalesce(sum(event.effective_cost), 0) AS effective_cost,
       coalesce(sum(event.list_cost), 0) AS list_cost,
       sum(event.uncached_input_tokens), sum(event.cache_read_input_tokens),
       sum(event.cache_creation_5m_input_tokens), sum(event.cache_creation_1h_input_tokens),
       sum(event.input_audio_tokens), sum(event.text_output_tokens),
       sum(event.reasoning_output_tokens), sum(event.output_audio_tokens),
       sum(event.gpu_seconds), count(*) - 2 * count(event.reverses_key), count(*)
FROM usage_event AS event
JOIN rated_request AS rated ON rated.attribution_id = event.attribution_id
LEFT JOIN rate_window AS rate
    ON rate.attribution_id = rated.request
    AND event.started_at >= coalesce(rate.starts, '-infinity')
    AND event.started_at < coalesce(rate.ends, 'infinity')
    AND (event.started_at AT TIME ZONE 'UTC')::time >= coalesce(rate.daily_from, '00:00')
    AND (event.started_at AT TIME ZONE 'UTC')::time < coalesce(rate.daily_to, '24:00')
    AND abs(event.uncached_input_tokens::bigint + event.cache_read_input_tokens
        + event.cache_creation_5m_input_tokens + event.cache_creation_1h_input_tokens
        + event.input_audio_tokens)
        BETWEEN coalesce(rate.input_over + 1, 0) AND coalesce(rate.input_to, 9223372036854775807)
WHERE event.day BETWEEN %(first_day)s AND %(last_day)s
  AND event.started_at >= %(start)s AND event.started_at < %(end)s
  AND (NOT %(only_unpriced)s OR event.effective_cost IS NULL)
GROUP BY rated.request, event.price_id, event.contract_price_id, event.fixing_id,
         rate.price_id, rate.contract_price_id, rate.fixing_id, is_unpriced, is_skipped,
         (event.uncached_input_tokens <> 0)::integer
             + (event.cache_read_input_tokens <> 0)::integer * 2
             + (event.cache_creation_5m_input_tokens <> 0)::integer * 4
             + (event.cache_creation_1h_input_tokens <> 0)::integer * 8
             + (event.input_audio_tokens <> 0)::integer * 16
             + (event.text_output_tokens <> 0)::integer * 32
             + (event.reasoning_output_tokens <> 0)::integer * 64
             + (event.output_audio_tokens <> 0)::integer * 128
             + (event.gpu_seconds IS NULL)::integer * 256
