-- One row: how many priced events of [%(start)s, %(end)s) are not rated again, because the guard on
-- attribution has folded what ingest rated them by into (overflow).
SELECT count(*) - 2 * count(event.reverses_key)
FROM usage_event AS event
WHERE event.day BETWEEN %(first_day)s AND %(last_day)s
  AND event.started_at >= %(start)s AND event.started_at < %(end)s
  AND event.effective_cost IS NOT NULL
  AND event.attribution_id IN (
      SELECT id FROM attribution
      WHERE '(overflow)' = ANY (ARRAY[provider, model, service_tier, cache, fleet])
  )
