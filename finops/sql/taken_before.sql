-- One row: whether events are still under way that ingest may have taken under a name that it has
-- forgotten since: in a commit that began before %(commit)s, or not folded although committed
-- before %(fold)s.
SELECT
    EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'farthing ingest'
            AND xact_start < %(commit)s
    )
    OR EXISTS (SELECT FROM ingest_batch WHERE folded_at IS NULL AND committed_at < %(fold)s)
