-- What is spent and reserved of budgets. One row: one budget, and one value where it is for each, in
-- the period asked for. One statement, because what leaves the reservations comes into what is
-- spent within one transaction: read one after the other, it might be in neither.
SELECT
    asked.budget_id,
    asked.value,
    asked.period_start,
    coalesce(standing.spent, 0),
    coalesce(held.amount, 0)
FROM unnest(%(budgets)s::integer[], %(values)s::text[], %(periods)s::timestamptz[])
    AS asked (budget_id, value, period_start)
LEFT JOIN enforcement_standing AS standing USING (budget_id, value, period_start)
LEFT JOIN LATERAL (
    SELECT sum(hold.amount) AS amount
    FROM reservation_hold AS hold
    WHERE hold.budget_id = asked.budget_id
        AND hold.value = asked.value
        AND hold.period_start = asked.period_start
        AND hold.expires_at > %(now)s
) AS held ON true
