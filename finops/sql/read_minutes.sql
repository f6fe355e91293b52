-- One row: one minute of one team, feature and model in [%(start)s, %(end)s), the minute as minutes
-- since 1970 and the cost (of requests with a price) in whole millionths of a millionth, up to what
-- sums of all keys can hold.
SELECT
    extract(epoch FROM minute)::bigint / 60, key_id,
    requests, errors,
    round(
        least(greatest(effective_cost, -15000), 15000) * 1000000000000
    )::bigint,
    unpriced_requests
FROM rollup_minute
WHERE minute >= %(start)s AND minute < %(end)s
