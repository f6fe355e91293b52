-- Calls that budgets refused and slowed, added to what is kept of them.
-- One row: one budget, one value of it, one period.
INSERT INTO enforcement_tally (
    budget_id, value, period_start, period_end, refused, slowed, refused_at, slowed_at
)
SELECT *
FROM unnest(
    %(budgets)s::integer[], %(values)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
    %(refused)s::bigint[], %(slowed)s::bigint[], %(refused_at)s::timestamptz[],
    %(slowed_at)s::timestamptz[]
)
ON CONFLICT (budget_id, value, period_start) DO UPDATE SET
    period_end = excluded.period_end,
    refused = enforcement_tally.refused + excluded.refused,
    slowed = enforcement_tally.slowed + excluded.slowed,
    refused_at = greatest(enforcement_tally.refused_at, excluded.refused_at),
    slowed_at = greatest(enforcement_tally.slowed_at, excluded.slowed_at)
