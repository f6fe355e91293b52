-- One row: what the rollups say that one user's requests add up to, exactly.
SELECT
    coalesce(sum(requests), 0) AS requests,
    coalesce(sum(input_tokens), 0) AS input_tokens,
    coalesce(sum(output_tokens), 0) AS output_tokens,
    coalesce(sum(effective_cost), 0) AS effective_cost,
    coalesce(sum(list_cost), 0) AS list_cost
FROM rollup_user_day
WHERE user_id = %(user_id)s
