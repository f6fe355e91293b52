-- One row: one alias that is new, with its day counted from 2000-01-01. In the order of the key, so
-- that two commits which bring the same ones wait for each other and never both for both.
INSERT INTO event_alias (alias_key, day, family, by_gateway)
SELECT claim.alias_key, date '2000-01-01' + claim.day, claim.family, claim.by_gateway
FROM unnest(
    %(keys)s::uuid[], %(days)s::integer[], %(families)s::smallint[], %(by_gateway)s::boolean[]
) AS claim (alias_key, day, family, by_gateway)
ORDER BY claim.alias_key, claim.day
ON CONFLICT (alias_key, day) DO NOTHING
RETURNING uuid_send(alias_key), day - date '2000-01-01'
