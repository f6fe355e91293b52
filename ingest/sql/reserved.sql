-- Everything that is reserved. One row: one budget, one value of it, one period.
SELECT budget_id, value, period_start, sum(amount)
FROM reservation_hold
WHERE expires_at > %(now)s
GROUP BY budget_id, value, period_start
