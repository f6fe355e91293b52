-- One row: one settlement whose time has come to be tried, in the order in which they were made. Those
-- that were never tried are taken first: however many wait for nothing, they keep nobody waiting.
SELECT event_key, corrects_key, key_id, source, format, received_at, made_at, tries, said
FROM (
    SELECT *
    FROM settlement
    WHERE next_try_at <= %(now)s
    ORDER BY tries > 0, next_try_at
    LIMIT %(limit)s
) AS due
ORDER BY made_at, received_at, event_key
