-- Empties the rollups of whole days, to be made again in the same transaction. Their users can be
-- totalled at once: nobody is adding to them.
DELETE FROM rollup_hour WHERE hour >= %(start)s AND hour < %(end)s;
DELETE FROM rollup_day WHERE day >= %(first_day)s AND day < %(end_day)s;
DELETE FROM rollup_user_day WHERE day >= %(first_day)s AND day < %(end_day)s;
INSERT INTO rollup_unsettled (day, touched_at)
SELECT day, '-infinity'::timestamptz
FROM generate_series(%(first_day)s::timestamp, %(end_day)s::timestamp - interval '1 day', '1 day') AS day
ON CONFLICT (day) DO UPDATE SET touched_at = excluded.touched_at;
INSERT INTO rollup_unchecked (day, changed_by)
SELECT day, pg_current_xact_id()
FROM generate_series(%(first_day)s::timestamp, %(end_day)s::timestamp - interval '1 day', '1 day') AS day
ON CONFLICT (day) DO UPDATE SET changed_by = excluded.changed_by
