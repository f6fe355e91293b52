-- One row: a tag key among the newest %(events)s events since %(first_day)s, and on how many of them.
-- One indexed page of the newest partitions: uses usage_event_started_at.
SELECT tag.key, count(*) AS events
FROM (
    SELECT tags
    FROM usage_event
    WHERE day >= %(first_day)s
    ORDER BY started_at DESC
    LIMIT %(events)s
) AS newest, jsonb_object_keys(newest.tags) AS tag (key)
GROUP BY tag.key
ORDER BY events DESC, tag.key
LIMIT %(keys)s
