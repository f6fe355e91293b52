-- One row: the last day of [%(first_day)s, %(end_day)s) of which the rollups count more requests than
-- there are folded events, or NULL. Some of its events are gone, though it may have partitions.
-- Where the two grains differ, one of them is wrong: the lesser count decides, so that it is mended.
WITH days AS (
    SELECT day, sum(requests) AS requests
    FROM rollup_day
    WHERE day >= %(first_day)s AND day < %(end_day)s
    GROUP BY day
),
hours AS (
    SELECT (hour AT TIME ZONE %(zone)s)::date AS day, sum(requests) AS requests
    FROM rollup_hour
    WHERE hour >= %(start)s AND hour < %(end)s
    GROUP BY 1
),
events AS (
    SELECT (usage_event.started_at AT TIME ZONE %(zone)s)::date AS day,
        count(*) - 2 * count(usage_event.reverses_key) AS requests
    FROM usage_event
    JOIN ingest_batch ON ingest_batch.id = usage_event.batch_id
    WHERE usage_event.started_at >= %(start)s
        AND usage_event.started_at < %(end)s
        AND usage_event.day >= (%(start)s AT TIME ZONE 'UTC')::date
        AND usage_event.day <= (%(end)s AT TIME ZONE 'UTC')::date
        AND ingest_batch.folded_at IS NOT NULL
    GROUP BY 1
)
SELECT max(day)
FROM days
JOIN hours USING (day)
LEFT JOIN events USING (day)
WHERE least(days.requests, hours.requests) > coalesce(events.requests, 0)
