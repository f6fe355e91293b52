-- Adds rerated_change to rollup_user_day. One row: the day %(day)s of one user in one attribution.
UPDATE rollup_user_day AS held
SET unpriced_requests = held.unpriced_requests + change.unpriced_requests,
    unpriced_tokens = held.unpriced_tokens + change.unpriced_tokens,
    list_cost = held.list_cost + change.list_cost,
    effective_cost = held.effective_cost + change.effective_cost
FROM (
    SELECT
        attribution_id, user_id,
        sum(unpriced_requests) AS unpriced_requests,
        sum(unpriced_tokens) AS unpriced_tokens,
        sum(list_cost) AS list_cost,
        sum(effective_cost) AS effective_cost
    FROM rerated_change
    GROUP BY attribution_id, user_id
) AS change
WHERE held.day = %(day)s
    AND held.attribution_id = change.attribution_id
    AND held.user_id = change.user_id
