-- One row: the key and the day (counted from 2000-01-01) of one event that the batches
-- %(batch_ids)s brought. Asked only when some of their events were there before.
-- Pruned to the partitions of %(days)s, found by usage_event_batch_id.
SELECT uuid_send(usage.event_key) AS event_key, usage.day - date '2000-01-01' AS day
FROM usage_event AS usage
WHERE usage.day = ANY(%(days)s)
  AND usage.batch_id = ANY(%(batch_ids)s)
