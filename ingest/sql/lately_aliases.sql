-- One row: one name among %(keys)s that an event has on a day from %(first)s to %(last)s, with the
-- day counted from 2000-01-01. Pruned to the partitions of those days, each looked into once a name.
SELECT uuid_send(alias.alias_key), alias.day - date '2000-01-01'
FROM event_alias AS alias
WHERE alias.alias_key = ANY(%(keys)s::uuid[])
  AND alias.day BETWEEN %(first)s AND %(last)s
