-- Marks the days that a fold has touched. One row: one day.
INSERT INTO rollup_unsettled (day, touched_at)
SELECT DISTINCT day, %(now)s::timestamptz
FROM fresh_event
ORDER BY day
ON CONFLICT (day) DO UPDATE SET touched_at = excluded.touched_at
