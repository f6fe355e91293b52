-- Calls that are over: their reservations wait for their events, and hold what they cost where that
-- is said. One row: one reservation that was there. Said again it may name another event or cost,
-- and is held no longer for it. Uses the keys of both tables.
WITH given AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(sources)s::text[], %(moments)s::timestamptz[], %(until)s::timestamptz[],
        %(event_keys)s::uuid[], %(alias_keys)s::uuid[], %(costs)s::numeric[]
    ) AS given (id, source, at, until, event_key, alias_key, cost)
),
settled AS (
    UPDATE reservation AS held SET
        settled_at = coalesce(held.settled_at, given.at),
        expires_at = CASE WHEN held.settled_at IS NULL THEN given.until ELSE held.expires_at END,
        event_key = coalesce(given.event_key, held.event_key),
        alias_key = coalesce(given.alias_key, held.alias_key)
    FROM given
    WHERE held.id = given.id AND held.source = given.source AND held.expires_at > given.at
    RETURNING held.id, held.expires_at AS until, given.cost
),
changed AS (
    UPDATE reservation_hold AS hold SET
        expires_at = settled.until,
        amount = coalesce(settled.cost, hold.amount)
    FROM settled
    WHERE hold.reservation_id = settled.id
)
SELECT id FROM settled
