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
        FROM rollup_hour
        WHERE hour > greatest(day_start, %(start)s) - interval '1 hour'
            AND hour < least(day_end, %(end)s)
            AND requests > 0
            -- The first hour ever may, in a half-hour zone, begin on a day that never had events.
            AND (
                (hour >= day_start AND hour + interval '1 hour' <= day_end)
                OR hour > (SELECT min(hour) FROM rollup_hour)
            )
    )
