-- One row: one staged event that is not there yet; the row count is how many are new. Every
-- event_key of a day is staged once.
INSERT INTO usage_event
SELECT staged.*
FROM staged_event AS staged
ON CONFLICT (event_key, day) DO NOTHING
