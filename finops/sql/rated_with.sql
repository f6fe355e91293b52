-- One row: one ledger line with the events since %(start)s that it gave a price, as list price or
-- as contract; of %(teams)s only, where that is not NULL.
SELECT used.line, count(*) - 2 * count(event.reverses_key), sum(event.effective_cost)
FROM usage_event AS event
JOIN attribution ON attribution.id = event.attribution_id
CROSS JOIN LATERAL (VALUES (event.price_id), (event.contract_price_id)) AS used (line)
WHERE event.day >= %(first_day)s
  AND event.started_at >= %(start)s
  AND (event.price_id = ANY (%(ids)s::integer[]) OR event.contract_price_id = ANY (%(ids)s::integer[]))
  AND used.line = ANY (%(ids)s::integer[])
  AND (%(teams)s::text[] IS NULL OR attribution.team = ANY (%(teams)s::text[]))
GROUP BY used.line
