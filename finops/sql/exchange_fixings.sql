-- One row: the rates of one day since %(since)s, or of the last %(days)s days, units for one euro by currency; superseded ones too,
-- because events and settlements point at them.
SELECT id, day, rates::text, source, superseded_at IS NOT NULL
FROM exchange_fixing
WHERE day >= coalesce(%(since)s, current_date - %(days)s::integer)
ORDER BY id
