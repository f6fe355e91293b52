-- Gathers the events of batches that are being folded. One row: one event. Uses the index
-- usage_event_batch_id of the days that the batches touch.
INSERT INTO fresh_event
SELECT
    date_trunc('hour', event.started_at, %(zone)s),
    (event.started_at AT TIME ZONE %(zone)s)::date,
    event.*
FROM foldable_event AS event
WHERE event.batch_id = ANY(%(batches)s)
    AND event.utc_day BETWEEN %(first_day)s AND %(last_day)s
