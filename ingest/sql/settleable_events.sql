-- One row: one UTC day on which a key names a folded event. Uses the primary keys of the days'
-- partitions; %(days)s is NULL for all of them.
SELECT event.event_key, event.day, event.started_at
FROM usage_event AS event
JOIN ingest_batch AS batch ON batch.id = event.batch_id AND batch.folded_at IS NOT NULL
WHERE event.event_key = ANY(%(keys)s)
    AND (%(days)s::date[] IS NULL OR event.day = ANY(%(days)s::date[]))
    AND event.reverses_key IS NULL
    AND event.corrects_key IS NULL
