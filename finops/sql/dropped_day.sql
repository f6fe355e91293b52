-- One row: the last UTC day of [start, end) whose hours are in the rollups but whose partition of
-- usage_event is gone, or NULL.
WITH partition AS (
    SELECT substring(pg_get_expr(child.relpartbound, child.oid) FROM $$FROM \('([^']+)'\)$$)::date AS day
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'usage_event'::regclass
)
SELECT max(day)
FROM (
    SELECT DISTINCT (hour AT TIME ZONE 'UTC')::date AS day
    FROM rollup_hour
    WHERE hour >= %(start)s AND hour < %(end)s
        -- An hour of a half-hour zone may lie on two UTC days.
        AND (hour AT TIME ZONE 'UTC')::date
            = ((hour + interval '59 minutes') AT TIME ZONE 'UTC')::date
) AS held
WHERE NOT EXISTS (SELECT 1 FROM partition WHERE partition.day = held.day)
