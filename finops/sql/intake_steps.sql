-- One row: what was committed within one step of %(step)s from %(start)s on.
-- Of keys of %(teams)s (NULL: of all) and of %(key_id)s alone where that is given. Uses the index
-- ingest_batch_committed.
SELECT
    date_bin(%(step)s::interval, batch.committed_at, %(start)s) AS start,
    sum(batch.accepted)::bigint AS accepted,
    sum(batch.duplicates)::bigint AS duplicates,
    coalesce(sum((SELECT sum(each.value::bigint) FROM jsonb_each_text(batch.rejected) AS each)), 0)::bigint AS rejected,
    count(*) AS batches
FROM ingest_batch AS batch
LEFT JOIN ingest_key AS key ON key.id = batch.key_id
WHERE batch.committed_at >= %(start)s AND batch.committed_at < %(end)s
    AND (%(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[]))
    AND (%(key_id)s::integer IS NULL OR batch.key_id = %(key_id)s::integer)
GROUP BY 1
ORDER BY 1
