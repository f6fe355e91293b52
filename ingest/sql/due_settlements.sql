-- One row: one settlement whose time has come to be tried, those that were made first before others.
SELECT event_key, corrects_key, key_id, source, format, received_at, made_at, said
FROM settlement
WHERE next_try_at <= %(now)s
ORDER BY made_at, received_at, event_key
LIMIT %(limit)s
