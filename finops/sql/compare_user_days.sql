-- What fresh_event holds more than rollup_user_day of the same whole days, less than zero where less.
-- One row: one day of one user in one attribution that differs.
INSERT INTO difference_user_day (
    day, attribution_id, user_id,
    requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    unpriced_tokens, list_cost, effective_cost
)
SELECT *
FROM (
    SELECT
        day, attribution_id, user_id,
        sum(requests) AS requests, sum(unpriced_requests) AS unpriced_requests,
        sum(errors) AS errors, sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cache_read_input_tokens) AS cache_read_input_tokens,
        sum(unpriced_tokens) AS unpriced_tokens, sum(list_cost) AS list_cost,
        sum(effective_cost) AS effective_cost
    FROM (
        SELECT
            day, attribution_id, user_id,
            weight AS requests,
            unpriced AS unpriced_requests,
            is_error AS errors,
            tokens.input_tokens,
            tokens.output_tokens,
            cache_read_input_tokens,
            CASE
                WHEN unpriced <> 0 THEN tokens.input_tokens + tokens.output_tokens
                ELSE 0
            END AS unpriced_tokens,
            coalesce(effective_cost, 0) + coalesce(discount, 0) AS list_cost,
            coalesce(effective_cost, 0) AS effective_cost
        FROM fresh_event
        CROSS JOIN LATERAL (
            SELECT
                uncached_input_tokens::bigint + cache_read_input_tokens
                + cache_creation_5m_input_tokens + cache_creation_1h_input_tokens
                + input_audio_tokens AS input_tokens,
                text_output_tokens::bigint + reasoning_output_tokens
                + output_audio_tokens AS output_tokens
        ) AS tokens
        UNION ALL
        SELECT
            day, attribution_id, user_id,
            -requests, -unpriced_requests, -errors, -input_tokens, -output_tokens,
            -cache_read_input_tokens, -unpriced_tokens, -list_cost, -effective_cost
        FROM rollup_user_day
        WHERE day >= %(first_day)s AND day < %(end_day)s
    ) AS sides
    GROUP BY day, attribution_id, user_id
) AS difference
WHERE num_nonnulls(
        nullif(requests, 0), nullif(unpriced_requests, 0), nullif(errors, 0),
        nullif(input_tokens, 0), nullif(output_tokens, 0), nullif(cache_read_input_tokens, 0),
        nullif(unpriced_tokens, 0), nullif(list_cost, 0), nullif(effective_cost, 0)
    ) > 0
