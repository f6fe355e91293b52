-- One row: when the latest events of these keys were committed, whenever that was; or no row.
-- Of keys of %(teams)s (NULL: of all) and of %(key_id)s alone where that is given. Uses the index
-- ingest_batch_committed.
SELECT batch.committed_at
FROM ingest_batch AS batch
LEFT JOIN ingest_key AS key ON key.id = batch.key_id
WHERE batch.accepted > 0
    AND (%(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[]))
    AND (%(key_id)s::integer IS NULL OR batch.key_id = %(key_id)s::integer)
ORDER BY batch.committed_at DESC
LIMIT 1
