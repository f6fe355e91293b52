-- One row: the last UTC day of [%(start)s, %(end)s) with usage in the rollups whose partition of
-- usage_event is gone, or NULL.
WITH partition AS (
    SELECT substring(pg_get_expr(child.relpartbound, child.oid) FROM $$FROM \('([^']+)'\)$$)::date AS day
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'usage_event'::regclass
),
span AS (
    SELECT
        utc_day::date AS day,
        utc_day AT TIME ZONE 'UTC' AS day_start,
        (utc_day + interval '1 day') AT TIME ZONE 'UTC' AS day_end
    FROM generate_series(
        (%(start)s AT TIME ZONE 'UTC')::date::timestamp,
        ((%(end)s - interval '1 microsecond') AT TIME ZONE 'UTC')::date::timestamp,
        interval '1 day'
    ) AS utc_day
)
SELECT max(day)
FROM span
WHERE NOT EXISTS (SELECT 1 FROM partition WHERE partition.day = span.day)
    AND EXISTS (
        SELECT 1
        FROM (
            SELECT hour, sum(requests) AS requests
            FROM rollup_hour
            WHERE hour > greatest(day_start, %(start)s) - interval '1 hour'
                AND hour < least(day_end, %(end)s)
            GROUP BY hour
        ) AS held
        -- In a half-hour zone an hour may lie in two UTC days, one of which never had events.
        WHERE (hour >= day_start AND hour + interval '1 hour' <= day_end)
            OR requests > (
                SELECT count(*) - 2 * count(usage_event.reverses_key)
                FROM usage_event
                JOIN ingest_batch ON ingest_batch.id = usage_event.batch_id
                WHERE usage_event.started_at >= held.hour
                    AND usage_event.started_at < held.hour + interval '1 hour'
                    AND ingest_batch.folded_at IS NOT NULL
            )
    )
