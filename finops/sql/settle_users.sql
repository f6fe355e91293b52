-- Brings rollup_user_total up to date with rollup_user_day for these days. One row: what changed for
-- one user in one span.
INSERT INTO rollup_user_total AS held (
    span, start, user_id,
    requests,
    unpriced_requests,
    errors,
    input_tokens,
    output_tokens,
    cache_read_input_tokens,
    unpriced_tokens,
    list_cost,
    effective_cost
)
WITH fresh AS (
    SELECT
        day, user_id,
        sum(requests)::bigint AS requests,
        sum(unpriced_requests)::bigint AS unpriced_requests,
        sum(errors)::bigint AS errors,
        sum(input_tokens)::bigint AS input_tokens,
        sum(output_tokens)::bigint AS output_tokens,
        sum(cache_read_input_tokens)::bigint AS cache_read_input_tokens,
        sum(unpriced_tokens)::bigint AS unpriced_tokens,
        sum(list_cost)::numeric AS list_cost,
        sum(effective_cost)::numeric AS effective_cost
    FROM rollup_user_day
    WHERE day = ANY(%(days)s)
    GROUP BY day, user_id
),
held AS (
    SELECT start AS day, user_id, requests, unpriced_requests, errors, input_tokens,
        output_tokens, cache_read_input_tokens, unpriced_tokens, list_cost, effective_cost
    FROM rollup_user_total
    WHERE span = 'day' AND start = ANY(%(days)s)
),
change AS (
    SELECT
        day, user_id,
        coalesce(fresh.requests, 0) - coalesce(held.requests, 0) AS requests,
        coalesce(fresh.unpriced_requests, 0)
            - coalesce(held.unpriced_requests, 0) AS unpriced_requests,
        coalesce(fresh.errors, 0) - coalesce(held.errors, 0) AS errors,
        coalesce(fresh.input_tokens, 0) - coalesce(held.input_tokens, 0) AS input_tokens,
        coalesce(fresh.output_tokens, 0) - coalesce(held.output_tokens, 0) AS output_tokens,
        coalesce(fresh.cache_read_input_tokens, 0)
            - coalesce(held.cache_read_input_tokens, 0) AS cache_read_input_tokens,
        coalesce(fresh.unpriced_tokens, 0) - coalesce(held.unpriced_tokens, 0) AS unpriced_tokens,
        coalesce(fresh.list_cost, 0) - coalesce(held.list_cost, 0) AS list_cost,
        coalesce(fresh.effective_cost, 0) - coalesce(held.effective_cost, 0) AS effective_cost
    FROM fresh
    FULL JOIN held USING (day, user_id)
    WHERE fresh IS DISTINCT FROM held
)
SELECT
    span.name, span.start, user_id,
    sum(requests),
    sum(unpriced_requests),
    sum(errors),
    sum(input_tokens),
    sum(output_tokens),
    sum(cache_read_input_tokens),
    sum(unpriced_tokens),
    sum(list_cost),
    sum(effective_cost)
FROM change
CROSS JOIN LATERAL (
    VALUES
        ('day', day),
        ('week', date_trunc('week', day::timestamp)::date),
        ('month', date_trunc('month', day::timestamp)::date)
) AS span (name, start)
GROUP BY span.name, span.start, user_id
ORDER BY span.name, span.start, user_id
ON CONFLICT (span, start, user_id) DO UPDATE SET
    requests = held.requests + excluded.requests,
    unpriced_requests = held.unpriced_requests + excluded.unpriced_requests,
    errors = held.errors + excluded.errors,
    input_tokens = held.input_tokens + excluded.input_tokens,
    output_tokens = held.output_tokens + excluded.output_tokens,
    cache_read_input_tokens = held.cache_read_input_tokens + excluded.cache_read_input_tokens,
    unpriced_tokens = held.unpriced_tokens + excluded.unpriced_tokens,
    list_cost = held.list_cost + excluded.list_cost,
    effective_cost = held.effective_cost + excluded.effective_cost
