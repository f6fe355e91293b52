-- Compares the rollups of one day [%(start)s, %(end)s) with its folded events. One row: one source;
-- those that say the same as the first, the events, are right.
WITH events AS (
    SELECT
        date_trunc('hour', started_at, %(zone)s) AS hour,
        attribution_id,
        sum(requests) AS requests,
        sum(unpriced_requests) AS unpriced_requests,
        sum(errors) AS errors,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(list_cost) AS list_cost,
        sum(effective_cost) AS effective_cost
    FROM measured_event
    JOIN ingest_batch ON ingest_batch.id = batch_id AND ingest_batch.folded_at IS NOT NULL
    WHERE started_at >= %(start)s
        AND started_at < %(end)s
        AND utc_day >= (%(start)s AT TIME ZONE 'UTC')::date
        AND utc_day <= (%(end)s AT TIME ZONE 'UTC')::date
    GROUP BY 1, 2
),
sources AS (
    SELECT 0 AS number, 'events' AS source, requests, unpriced_requests, errors, input_tokens,
        output_tokens, list_cost, effective_cost
    FROM events
    UNION ALL
    SELECT 1, 'hours', requests, unpriced_requests, errors, input_tokens,
        output_tokens, list_cost, effective_cost
    FROM rollup_hour
    WHERE hour >= %(start)s AND hour < %(end)s
    UNION ALL
    SELECT 2, 'days', requests, unpriced_requests, errors, input_tokens,
        output_tokens, list_cost, effective_cost
    FROM rollup_day
    WHERE day = %(day)s
    UNION ALL
    SELECT 3, 'users', requests, unpriced_requests, errors, input_tokens,
        output_tokens, list_cost, effective_cost
    FROM rollup_user_day
    WHERE day = %(day)s
    UNION ALL
    -- Not made yet while the day has not settled: then its users stand in for it.
    SELECT 4, 'user totals', requests, unpriced_requests, errors, input_tokens,
        output_tokens, list_cost, effective_cost
    FROM rollup_user_total
    WHERE span = 'day' AND start = %(day)s
        AND NOT EXISTS (SELECT 1 FROM rollup_unsettled WHERE day = %(day)s)
    UNION ALL
    SELECT 4, 'user totals', requests, unpriced_requests, errors, input_tokens,
        output_tokens, list_cost, effective_cost
    FROM rollup_user_day
    WHERE day = %(day)s
        AND EXISTS (SELECT 1 FROM rollup_unsettled WHERE day = %(day)s)
),
wrong AS (
    SELECT count(*) AS cells
    FROM events
    FULL JOIN (
        SELECT * FROM rollup_hour WHERE hour >= %(start)s AND hour < %(end)s
    ) AS held USING (hour, attribution_id)
    WHERE (events.requests, events.effective_cost)
        IS DISTINCT FROM (held.requests, held.effective_cost)
),
wrong_users AS (
    SELECT count(*) AS cells
    FROM (
        SELECT attribution_id, count(*) AS users, sum(requests) AS requests,
            sum(effective_cost) AS effective_cost
        FROM rollup_user_day
        WHERE day = %(day)s AND user_id <> 0 AND requests <> 0
        GROUP BY attribution_id
    ) AS of_users
    FULL JOIN (
        SELECT * FROM rollup_day_users WHERE day = %(day)s
    ) AS held USING (attribution_id)
    WHERE (of_users.users, of_users.requests, of_users.effective_cost)
            IS DISTINCT FROM (length(held.users) / 4, held.requests, held.effective_cost)
        AND NOT EXISTS (SELECT 1 FROM rollup_unsettled WHERE day = %(day)s)
),
wrong_span AS (
    SELECT count(*) AS cells
    FROM (
        SELECT count(*) AS users
        FROM rollup_user_total
        WHERE span = 'day' AND start = %(day)s AND requests > 0
    ) AS of_totals
    LEFT JOIN rollup_user_span AS held ON held.span = 'day' AND held.start = %(day)s
    WHERE of_totals.users <> coalesce(length(held.users) / 4, 0)
        AND NOT EXISTS (SELECT 1 FROM rollup_unsettled WHERE day = %(day)s)
)
SELECT
    names.source,
    coalesce(sum(requests), 0),
    coalesce(sum(effective_cost), 0),
    coalesce(sum(unpriced_requests), 0),
    coalesce(sum(errors), 0),
    coalesce(sum(input_tokens), 0),
    coalesce(sum(output_tokens), 0),
    coalesce(sum(list_cost), 0),
    -- Hours and attributions that differ; whose sums may be right all the same.
    CASE names.number
        WHEN 1 THEN (SELECT cells FROM wrong)
        WHEN 4 THEN (SELECT wrong_users.cells + wrong_span.cells FROM wrong_users, wrong_span)
    END
FROM (
    VALUES (0, 'events'), (1, 'hours'), (2, 'days'), (3, 'users'), (4, 'user totals')
) AS names (number, source)
LEFT JOIN sources USING (number)
GROUP BY names.number, names.source
ORDER BY names.number
