-- Calls that never were: nothing is held for them any more. One row: one reservation that was there.
-- What was settled was made, and is held until its event is in the figures.
WITH given AS (
    SELECT *
    FROM unnest(%(ids)s::uuid[], %(sources)s::text[], %(moments)s::timestamptz[])
        AS given (id, source, at)
),
released AS (
    DELETE FROM reservation AS held
    USING given
    WHERE held.id = given.id AND held.source = given.source AND held.expires_at > given.at
        AND held.settled_at IS NULL
    RETURNING held.id
),
removed AS (
    DELETE FROM reservation_hold AS hold USING released WHERE hold.reservation_id = released.id
)
SELECT id FROM released
