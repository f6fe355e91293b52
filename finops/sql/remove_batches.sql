-- Removes up to %(limit)s batches, the oldest first, that nothing asks for any more: folded,
-- committed before %(before)s, and all of whose events are dropped. Single requests name the source
-- and the format of their batch, and rebuilds fold the events of folded batches, so batches stay for
-- as long as their events. No event is later than its batch by more than an hour: the index
-- ingest_batch_committed leads to them. The newest batch stays; figures say how fresh they are by it.
WITH kept AS (
    SELECT min(
        substring(pg_get_expr(child.relpartbound, child.oid) FROM $$FROM \('([^']+)'\)$$)::date
    )::timestamp AT TIME ZONE 'UTC' AS first
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'usage_event'::regclass
)
DELETE FROM ingest_batch
WHERE id IN (
    SELECT batch.id
    FROM ingest_batch AS batch
    WHERE batch.committed_at < least(%(before)s, (SELECT first FROM kept))
        AND (batch.last_started_at IS NULL OR batch.last_started_at < (SELECT first FROM kept))
        AND batch.folded_at IS NOT NULL
        AND batch.id < (SELECT max(id) FROM ingest_batch)
    ORDER BY batch.committed_at
    LIMIT %(limit)s
)
