-- Marks the days that a fold has touched: their users are to be totalled again and the days to be
-- compared with their events. One row: one day.
WITH touched AS MATERIALIZED (
    SELECT DISTINCT day FROM fresh_event
),
unchecked AS (
    INSERT INTO rollup_unchecked (day, changed_by)
    SELECT day, pg_current_xact_id() FROM touched
    ORDER BY day
    ON CONFLICT (day) DO UPDATE SET changed_by = excluded.changed_by
)
INSERT INTO rollup_unsettled (day, touched_at)
SELECT day, %(now)s::timestamptz FROM touched
ORDER BY day
ON CONFLICT (day) DO UPDATE SET touched_at = excluded.touched_at
