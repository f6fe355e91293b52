-- What rating again adds to the rollups: one row is one hour, attribution and user of folded events
-- whose costs differ; less than zero where they cost less than before. Batches that are not folded
-- yet come with their new costs when they are. What was folded once stays so, and is gathered before
-- the lock on folding is taken; which of unfolded_batch are folded by then, when it is held. Tokens
-- and latencies stay; just whether they are priced may change.
INSERT INTO rerated_change
SELECT
    date_trunc('hour', event.started_at, %(zone)s) AS hour,
    event.attribution_id,
    event.user_id,
    sum(
        event.weight
        * ((event.effective_cost IS NULL)::integer - (event.cost_before IS NULL)::integer)
    ) AS unpriced_requests,
    sum(
        event.tokens
        * ((event.effective_cost IS NULL)::integer - (event.cost_before IS NULL)::integer)
    )::bigint AS unpriced_tokens,
    sum(coalesce(event.list_cost, 0) - coalesce(event.list_cost_before, 0)) AS list_cost,
    sum(coalesce(event.effective_cost, 0) - coalesce(event.cost_before, 0)) AS effective_cost,
    sum(coalesce(event.input_cost, 0) - coalesce(event.input_cost_before, 0)) AS input_cost,
    sum(coalesce(event.cache_read_cost, 0) - coalesce(event.cache_read_cost_before, 0))
        AS cache_read_cost,
    sum(coalesce(event.cache_creation_cost, 0) - coalesce(event.cache_creation_cost_before, 0))
        AS cache_creation_cost,
    sum(coalesce(event.output_cost, 0) - coalesce(event.output_cost_before, 0)) AS output_cost,
    sum(coalesce(event.request_cost, 0) - coalesce(event.request_cost_before, 0)) AS request_cost
FROM rerated_event AS event
JOIN ingest_batch ON ingest_batch.id = event.batch_id AND ingest_batch.folded_at IS NOT NULL
WHERE event.is_changed
    AND (event.batch_id IN (SELECT id FROM unfolded_batch)) = %(was_unfolded)s
    -- Another ledger line with the same price changes no sum.
    AND (event.effective_cost, event.list_cost, event.input_cost, event.cache_read_cost,
         event.cache_creation_cost, event.output_cost, event.request_cost)
        IS DISTINCT FROM
        (event.cost_before, event.list_cost_before, event.input_cost_before,
         event.cache_read_cost_before, event.cache_creation_cost_before,
         event.output_cost_before, event.request_cost_before)
GROUP BY 1, 2, 3
