-- Takes the day %(day)s off the list of those that are to be compared with their events, unless
-- something other than %(changed_by)s has changed it meanwhile. One row: the day.
WITH compared AS (
    DELETE FROM rollup_unchecked
    WHERE day = %(day)s AND changed_by::text = %(changed_by)s
    RETURNING day, changed_by
)
INSERT INTO rollup_checked (day, changed_by)
SELECT day, changed_by FROM compared
ON CONFLICT (day) DO UPDATE SET changed_by = excluded.changed_by
