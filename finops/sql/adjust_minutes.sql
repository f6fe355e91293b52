-- Adds what rating again has changed to rollup_minute, where that is kept: see fold_minute.sql. Called
-- while the lock on folding is held, so a batch that is folded now is in the minutes with the costs
-- that it had. One row: one minute of one team, feature and model.
UPDATE rollup_minute AS held
SET unpriced_requests = held.unpriced_requests + change.unpriced_requests,
    list_cost = held.list_cost + change.list_cost,
    effective_cost = held.effective_cost + change.effective_cost
FROM (
    SELECT
        date_bin('1 minute', event.started_at, '2000-01-01T00:00:00Z') AS minute,
        minute_key.key_id,
        sum(
            event.weight
            * ((event.effective_cost IS NULL)::integer - (event.cost_before IS NULL)::integer)
        ) AS unpriced_requests,
        sum(coalesce(event.list_cost, 0) - coalesce(event.list_cost_before, 0)) AS list_cost,
        sum(coalesce(event.effective_cost, 0) - coalesce(event.cost_before, 0)) AS effective_cost
    FROM rerated_event AS event
    JOIN ingest_batch ON ingest_batch.id = event.batch_id AND ingest_batch.folded_at IS NOT NULL
    JOIN minute_key ON minute_key.attribution_id = event.attribution_id
    WHERE event.is_changed
        AND event.started_at >= (SELECT folded_at - interval '48 hours' FROM rollup_state)
    GROUP BY 1, 2
) AS change
WHERE (held.minute, held.key_id) = (change.minute, change.key_id)
