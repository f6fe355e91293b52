-- Marks the day %(day)s as changed, if rating again has changed its rollups: its users are to be
-- totalled again and the day is to be compared with its events. A day that is still being folded
-- settles when that is quiet.
WITH changed AS (
    SELECT %(day)s::date AS day
    WHERE EXISTS (SELECT 1 FROM rerated_change)
),
unchecked AS (
    INSERT INTO rollup_unchecked (day, changed_by)
    SELECT day, pg_current_xact_id() FROM changed
    ON CONFLICT (day) DO UPDATE SET changed_by = excluded.changed_by
)
INSERT INTO rollup_unsettled (day, touched_at)
SELECT day, '-infinity'::timestamptz FROM changed
ON CONFLICT (day) DO NOTHING
