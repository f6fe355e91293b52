-- One row: a tag key among the newest %(events)s events since %(first_day)s, and on how many of them; a
-- reversal takes one away. One indexed page of the newest partitions: uses usage_event_started_at.
SELECT tag.key, sum(newest.weight)::bigint AS events
FROM (
    SELECT tags, CASE WHEN reverses_key IS NULL THEN 1 ELSE -1 END AS weight
    FROM usage_event
    WHERE day >= %(first_day)s
    ORDER BY started_at DESC
    LIMIT %(events)s
) AS newest, jsonb_object_keys(newest.tags) AS tag (key)
GROUP BY tag.key
HAVING sum(newest.weight) > 0
ORDER BY events DESC, tag.key
LIMIT %(keys)s
