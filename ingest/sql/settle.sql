-- Writes down what was applied. One row: one settlement. The former one is out of force first, as of
-- one event at most one may be in force.
UPDATE settlement SET
    applied_at = %(now)s, next_try_at = NULL, said = NULL,
    original_key = applied.original_key, day = applied.day, in_force = applied.in_force
FROM unnest(
    %(event_key)s::uuid[], %(original_key)s::uuid[], %(day)s::date[], %(in_force)s::boolean[]
) AS applied (event_key, original_key, day, in_force)
WHERE settlement.event_key = applied.event_key
