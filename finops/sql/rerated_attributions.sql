-- One row: one attribution with events to rate again in [%(start)s, %(end)s).
SELECT attribution.id, attribution.provider, attribution.model, attribution.service_tier,
       attribution.cache, attribution.fleet
FROM attribution
WHERE attribution.id IN (
    SELECT event.attribution_id
    FROM usage_event AS event
    WHERE event.day BETWEEN %(first_day)s AND %(last_day)s
      AND event.started_at >= %(start)s AND event.started_at < %(end)s
      AND (NOT %(only_unpriced)s OR event.effective_cost IS NULL)
)
