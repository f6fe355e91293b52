-- Has the users of rebuilt days totalled again, at once, and the days compared with their events.
INSERT INTO rollup_unsettled (day, touched_at)
SELECT day, '-infinity'::timestamptz
FROM generate_series(%(first_day)s::timestamp, %(end_day)s::timestamp - interval '1 day', '1 day') AS day
ON CONFLICT (day) DO UPDATE SET touched_at = excluded.touched_at;
INSERT INTO rollup_unchecked (day, changed_by)
SELECT day, pg_current_xact_id()
FROM generate_series(%(first_day)s::timestamp, %(end_day)s::timestamp - interval '1 day', '1 day') AS day
ON CONFLICT (day) DO UPDATE SET changed_by = excluded.changed_by
