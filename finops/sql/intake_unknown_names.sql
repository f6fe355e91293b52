-- One row: one name that is no field of an event, the services that sent it and when last.
-- Of keys of %(teams)s (NULL: of all) and of %(key_id)s alone where that is given. Uses the index
-- ingest_batch_committed.
SELECT
    unknown.name,
    array_agg(DISTINCT batch.source ORDER BY batch.source) AS services,
    max(batch.committed_at) AS last_at
FROM ingest_batch AS batch
LEFT JOIN ingest_key AS key ON key.id = batch.key_id
CROSS JOIN jsonb_array_elements_text(batch.unknown_names) AS unknown (name)
WHERE batch.committed_at >= %(start)s AND batch.committed_at < %(end)s
    AND batch.unknown_fields > 0
    AND (%(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[]))
    AND (%(key_id)s::integer IS NULL OR batch.key_id = %(key_id)s::integer)
GROUP BY 1
ORDER BY 3 DESC
LIMIT 30
