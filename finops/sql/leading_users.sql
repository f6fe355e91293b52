-- One row: one of the users who cost most in one span. Uses rollup_user_total_cost, an entry per row.
SELECT span.number, leader.user_id, leader.effective_cost
FROM unnest(%(spans)s::text[], %(starts)s::date[]) WITH ORDINALITY AS span (name, start, number)
CROSS JOIN LATERAL (
    SELECT total.user_id, total.effective_cost
    FROM rollup_user_total AS total
    WHERE total.span = span.name AND total.start = span.start AND total.requests > 0
    ORDER BY total.effective_cost DESC
    LIMIT %(depth)s
) AS leader
ORDER BY span.number, leader.effective_cost DESC
