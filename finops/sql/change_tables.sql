-- What rating again changes, added up by gather_changes.sql, and the batches with such events that
-- are not folded at this moment. One row: one batch; one hour of one user in one attribution.
CREATE TEMPORARY TABLE unfolded_batch ON COMMIT DROP AS
SELECT id
FROM ingest_batch
WHERE folded_at IS NULL AND id IN (SELECT batch_id FROM rerated_event WHERE is_changed);
CREATE TEMPORARY TABLE rerated_change (
    hour                 timestamptz NOT NULL,
    attribution_id       integer NOT NULL,
    user_id              integer NOT NULL,
    unpriced_requests    bigint NOT NULL,
    unpriced_tokens      bigint NOT NULL,
    list_cost            numeric NOT NULL,
    effective_cost       numeric NOT NULL,
    input_cost           numeric NOT NULL,
    cache_read_cost      numeric NOT NULL,
    cache_creation_cost  numeric NOT NULL,
    output_cost          numeric NOT NULL,
    request_cost         numeric NOT NULL
) ON COMMIT DROP
