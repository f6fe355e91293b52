-- One row: the events of one key that were refused for one reason within [%(start)s, %(end)s).
-- Of keys of %(teams)s (NULL: of all) and of %(key_id)s alone where that is given. Uses the index
-- ingest_batch_committed.
SELECT
    refused.reason,
    batch.key_id,
    key.prefix,
    batch.source,
    sum(refused.events::bigint)::bigint AS events,
    min(batch.committed_at) AS first_at,
    max(batch.committed_at) AS last_at
FROM ingest_batch AS batch
LEFT JOIN ingest_key AS key ON key.id = batch.key_id
CROSS JOIN jsonb_each_text(batch.rejected) AS refused (reason, events)
WHERE batch.committed_at >= %(start)s AND batch.committed_at < %(end)s
    AND batch.rejected <> '{}'
    AND (%(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[]))
    AND (%(key_id)s::integer IS NULL OR batch.key_id = %(key_id)s::integer)
GROUP BY 1, 2, 3, 4
ORDER BY 5 DESC, 1, 2
