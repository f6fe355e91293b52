-- One row: one settlement that another one names, and the event that it is about, or NULL while that
-- is not known.
SELECT event_key, original_key, day
FROM settlement
WHERE event_key = ANY(%(keys)s) AND given_up_at IS NULL
