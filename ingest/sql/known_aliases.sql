-- One row: one alias among %(keys)s that an event has on one of %(dates)s.
-- Days count from 2000-01-01. Pruned to the partitions of those days.
SELECT uuid_send(alias.alias_key), alias.day - date '2000-01-01', alias.family, alias.by_gateway
FROM event_alias AS alias
WHERE alias.alias_key = ANY(%(keys)s::uuid[])
  AND alias.day = ANY(%(dates)s)
