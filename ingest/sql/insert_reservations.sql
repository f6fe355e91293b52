-- What is held of budgets for calls under way. One row of reservation: one call; one row of
-- reservation_hold: what it holds of one budget, and of one value where a budget is for each.
WITH made AS (
    INSERT INTO reservation (id, key_id, source, event_key, created_at, expires_at)
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(key_ids)s::integer[], %(sources)s::text[], %(event_keys)s::uuid[],
        %(created)s::timestamptz[], %(expire)s::timestamptz[]
    )
)
INSERT INTO reservation_hold (reservation_id, budget_id, value, period_start, amount, expires_at)
SELECT * FROM unnest(
    %(hold_ids)s::uuid[], %(budgets)s::integer[], %(values)s::text[], %(periods)s::timestamptz[],
    %(amounts)s::numeric[], %(hold_expire)s::timestamptz[]
)
