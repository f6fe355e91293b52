-- One row: when the first UTC day that usage_event has a partition of begins, or NULL.
SELECT min(substring(pg_get_expr(child.relpartbound, child.oid) FROM $$FROM \('([^']+)'\)$$)::date)::timestamp
    AT TIME ZONE 'UTC'
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'usage_event'::regclass
