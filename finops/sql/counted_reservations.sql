-- Reservations that are over, as this snapshot has it. One row: one reservation. `counts` says that
-- its call's cost is in the rollups, so that it must not be held beside it: its event is there, in
-- a batch that is folded; or its response was seen to be told of (seen_at), and all that was there
-- then is folded; or its cost was said, long enough ago (%(settled_before)s) for its event to be
-- folded. Else its response is told of by an event that may not be folded yet.
WITH waiting AS (
    SELECT id, event_key, alias_key, settled_at, seen_at
    FROM reservation
    WHERE expires_at > %(now)s AND (event_key IS NOT NULL OR settled_at IS NOT NULL)
),
judged AS (
    SELECT
        waiting.id,
        EXISTS (
            SELECT 1
            FROM usage_event AS event
            JOIN ingest_batch AS batch ON batch.id = event.batch_id
            WHERE event.event_key = waiting.event_key
                AND event.day BETWEEN %(first_day)s AND %(last_day)s
                AND batch.folded_at IS NOT NULL
        )
        OR coalesce(waiting.seen_at < %(rolled_up_to)s, false)
        OR (
            waiting.event_key IS NULL AND waiting.alias_key IS NULL
            AND waiting.settled_at < %(settled_before)s
        ) AS counts,
        waiting.seen_at IS NULL AND EXISTS (
            SELECT 1
            FROM event_alias AS alias
            WHERE alias.alias_key = waiting.alias_key
                AND alias.day BETWEEN %(first_day)s AND %(last_day)s
        ) AS is_seen
    FROM waiting
)
SELECT id, counts FROM judged WHERE counts OR is_seen
