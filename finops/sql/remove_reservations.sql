-- Reservations that are in the figures, and those that have expired. One row: one reservation.
WITH over AS (
    DELETE FROM reservation WHERE id = ANY(%(counted)s::uuid[]) OR expires_at <= %(now)s
    RETURNING id
),
holds AS (
    DELETE FROM reservation_hold AS hold USING over WHERE hold.reservation_id = over.id
)
SELECT count(*) FROM over
