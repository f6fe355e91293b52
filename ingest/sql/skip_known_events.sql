-- Goes on insert_events.sql where some events may be there already: no row for those, so that the
-- row count is the number of new events.
ON CONFLICT (event_key, day) DO NOTHING
