-- Gathers the folded events of whole days again. One row: one event. Uses the index
-- usage_event_started_at of those days.
INSERT INTO fresh_event
SELECT
    date_trunc('hour', event.started_at, %(zone)s),
    (event.started_at AT TIME ZONE %(zone)s)::date,
    event.*
FROM foldable_event AS event
JOIN ingest_batch ON ingest_batch.id = event.batch_id
WHERE event.started_at >= %(start)s
    AND event.started_at < %(end)s
    AND event.utc_day >= (%(start)s AT TIME ZONE 'UTC')::date
    AND event.utc_day <= (%(end)s AT TIME ZONE 'UTC')::date
    AND ingest_batch.folded_at IS NOT NULL
