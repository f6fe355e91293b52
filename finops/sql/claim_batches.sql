-- The batches to fold next, %(events)s events or little more: live ones first, then the oldest. One
-- row: one batch. A batch is live if it tells of usage since %(live_since)s, so that what just
-- happened does not wait behind a month that is being loaded. Batches with reversals never overtake:
-- what they take back must be there first, also when everything is folded again. Both windows are
-- read from an end of the index ingest_batch_unfolded, however many batches wait between them.
WITH newest AS (
    SELECT id, accepted + reversals AS events, first_started_at, last_started_at, committed_at,
        reversals
    FROM ingest_batch
    WHERE folded_at IS NULL
    ORDER BY id DESC
    LIMIT %(batches)s
),
oldest AS (
    SELECT id, accepted + reversals AS events, first_started_at, last_started_at, committed_at,
        reversals
    FROM ingest_batch
    WHERE folded_at IS NULL
    ORDER BY id
    LIMIT %(batches)s
),
waiting AS (
    SELECT *, false AS is_late FROM newest
    WHERE last_started_at >= %(live_since)s AND reversals = 0
    UNION
    SELECT *, coalesce(last_started_at < %(live_since)s, true) OR reversals > 0 FROM oldest
)
SELECT id, events, first_started_at, last_started_at, clock_timestamp() - committed_at AS waited
FROM (
    SELECT *,
        sum(events) OVER queue - events AS events_before,
        row_number() OVER queue AS place
    FROM waiting
    WINDOW queue AS (ORDER BY is_late, id)
) AS queued
WHERE events_before < %(events)s AND place <= %(batches)s
ORDER BY id
