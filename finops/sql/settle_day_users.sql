-- Makes rollup_day_users of rollup_user_day for these days. One row: one attribution of one day.
DELETE FROM rollup_day_users WHERE day = ANY(%(days)s);
INSERT INTO rollup_day_users (
    day, attribution_id, users, requests, unpriced_requests, effective_cost
)
SELECT
    day, attribution_id,
    string_agg(int4send(user_id), ''),
    sum(requests),
    sum(unpriced_requests),
    sum(effective_cost)
FROM rollup_user_day
WHERE day = ANY(%(days)s)
    AND user_id <> 0
    AND requests <> 0  -- who has none left, as a settlement took it back, is no user
GROUP BY day, attribution_id
