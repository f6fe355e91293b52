-- One row: the days before %(cutoff)s that single events are still kept of, the first of them, and how
-- many requests the rollups count there. Partitions are of UTC days, rollups of the reporting zone's.
WITH kept AS (
    SELECT
        substring(pg_get_expr(child.relpartbound, child.oid) FROM $$FROM \('([^']+)'\)$$)::date AS day
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'usage_event'::regclass
)
SELECT
    count(DISTINCT rollup_day.day) AS days,
    min(rollup_day.day) AS first_day,
    coalesce(sum(rollup_day.requests), 0) AS requests
FROM kept
JOIN rollup_day ON rollup_day.day = kept.day
WHERE kept.day < %(cutoff)s
