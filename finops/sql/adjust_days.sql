-- Adds rerated_change to rollup_day. One row: the day %(day)s of one attribution.
UPDATE rollup_day AS held
SET unpriced_requests = held.unpriced_requests + change.unpriced_requests,
    unpriced_tokens = held.unpriced_tokens + change.unpriced_tokens,
    list_cost = held.list_cost + change.list_cost,
    effective_cost = held.effective_cost + change.effective_cost,
    input_cost = held.input_cost + change.input_cost,
    cache_read_cost = held.cache_read_cost + change.cache_read_cost,
    cache_creation_cost = held.cache_creation_cost + change.cache_creation_cost,
    output_cost = held.output_cost + change.output_cost,
    request_cost = held.request_cost + change.request_cost
FROM (
    SELECT
        attribution_id,
        sum(unpriced_requests) AS unpriced_requests,
        sum(unpriced_tokens) AS unpriced_tokens,
        sum(list_cost) AS list_cost,
        sum(effective_cost) AS effective_cost,
        sum(input_cost) AS input_cost,
        sum(cache_read_cost) AS cache_read_cost,
        sum(cache_creation_cost) AS cache_creation_cost,
        sum(output_cost) AS output_cost,
        sum(request_cost) AS request_cost
    FROM rerated_change
    GROUP BY attribution_id
) AS change
WHERE held.day = %(day)s
    AND held.attribution_id = change.attribution_id
