-- One row: one UTC day of one attribution that has unpriced events of the batches after %(after)s up
-- to %(to)s. Uses the index usage_event_batch_id.
SELECT event.day, attribution.provider, attribution.model, attribution.service_tier,
       attribution.cache, attribution.fleet
FROM (
    SELECT DISTINCT usage_event.day, usage_event.attribution_id
    FROM usage_event
    WHERE usage_event.batch_id > %(after)s AND usage_event.batch_id <= %(to)s
        AND usage_event.effective_cost IS NULL
) AS event
JOIN attribution ON attribution.id = event.attribution_id
