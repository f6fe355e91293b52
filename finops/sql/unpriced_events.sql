-- One row: one UTC day of one attribution that has unpriced events. Reads just the index
-- usage_event_unpriced.
SELECT event.day, attribution.provider, attribution.model, attribution.service_tier,
       attribution.cache, attribution.fleet
FROM (
    SELECT DISTINCT usage_event.day, usage_event.attribution_id
    FROM usage_event
    WHERE usage_event.effective_cost IS NULL
) AS event
JOIN attribution ON attribution.id = event.attribution_id
