-- One row: one settlement of an event, in the order in which they were made. %(key)s is the event's,
-- or that of one of the settlements; settlement_original and the primary key lead to them.
SELECT chain.original_key, chain.event_key, chain.in_force
FROM settlement AS chain
WHERE chain.day = %(day)s
    AND chain.original_key = coalesce(
        (SELECT original_key FROM settlement WHERE event_key = %(key)s AND day = %(day)s),
        %(key)s::uuid
    )
ORDER BY chain.made_at, chain.applied_at, chain.received_at, chain.event_key
