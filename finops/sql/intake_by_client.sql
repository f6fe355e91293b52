-- One row: what one program, as it names itself, brought within [%(start)s, %(end)s).
-- Of keys of %(teams)s (NULL: of all) and of %(key_id)s alone where that is given. Uses the index
-- ingest_batch_committed.
SELECT
    client.name,
    sum((client.counts ->> 0)::bigint)::bigint AS accepted,
    sum((client.counts ->> 1)::bigint)::bigint AS duplicates,
    sum((client.counts ->> 2)::bigint)::bigint AS rejected,
    count(*) AS batches,
    max(batch.committed_at) AS last_at
FROM ingest_batch AS batch
LEFT JOIN ingest_key AS key ON key.id = batch.key_id
CROSS JOIN jsonb_each(batch.clients) AS client (name, counts)
WHERE batch.committed_at >= %(start)s AND batch.committed_at < %(end)s
    AND (%(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[]))
    AND (%(key_id)s::integer IS NULL OR batch.key_id = %(key_id)s::integer)
GROUP BY 1
ORDER BY 2 DESC, 4 DESC, 1
LIMIT 100
