-- One row: the settlements that arrived within [%(start)s, %(end)s): applied, waiting for their event,
-- given up. Of keys of %(teams)s (NULL: of all) and of %(key_id)s alone where that is given. Uses the
-- index settlement_received.
SELECT
    count(settlement.applied_at) AS applied,
    count(settlement.next_try_at) AS waiting,
    count(settlement.given_up_at) AS given_up
FROM settlement
LEFT JOIN ingest_key AS key ON key.id = settlement.key_id
WHERE settlement.received_at >= %(start)s AND settlement.received_at < %(end)s
    AND (%(teams)s::text[] IS NULL OR key.team = ANY (%(teams)s::text[]))
    AND (%(key_id)s::integer IS NULL OR settlement.key_id = %(key_id)s::integer)
