-- One row: one staged event that is not there yet. Every event_key of a day is staged once. Returns
-- the keys of those that are new, with their days counted from 2000-01-01.
INSERT INTO usage_event
SELECT staged.*
FROM staged_event AS staged
ON CONFLICT (event_key, day) DO NOTHING
RETURNING uuid_send(event_key), day - date '2000-01-01'
