-- One row: one of the %(months)s (first days), and a digest of which transaction changed each of its
-- days last. It is another one as soon as any figure of the month is; no row before any has changed.
SELECT month, md5(string_agg(day || ' ' || changed_by, ',' ORDER BY day))
FROM unnest(%(months)s::date[]) AS asked (month)
JOIN (
    SELECT day, coalesce(rollup_unchecked.changed_by, rollup_checked.changed_by) AS changed_by
    FROM rollup_unchecked
    FULL JOIN rollup_checked USING (day)
) AS changed ON day >= month AND day < month + interval '1 month'
GROUP BY month
