-- Makes the months that the days touch again. One row: one month of one user.
DELETE FROM rollup_user_month
WHERE month >= date_trunc('month', %(first_day)s::timestamp)::date AND month < %(end_day)s;
INSERT INTO rollup_user_month (
    month, user_id,
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
SELECT
    date_trunc('month', day)::date, user_id,
    sum(requests),
    sum(unpriced_requests),
    sum(errors),
    sum(input_tokens),
    sum(output_tokens),
    sum(cache_read_input_tokens),
    sum(unpriced_tokens),
    sum(list_cost),
    sum(effective_cost)
FROM rollup_user_day_total
WHERE day >= date_trunc('month', %(first_day)s::timestamp)::date
    AND day < date_trunc('month', %(end_day)s::timestamp - interval '1 day') + interval '1 month'
GROUP BY 1, 2
ORDER BY 1, 2
