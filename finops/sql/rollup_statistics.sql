-- Sums are read and never chosen by, so the planner needs to know nothing of them. Rollups grow all
-- day and are analyzed again and again; of their keys alone that is a fifth of the work.
DO $$
DECLARE
    value record;
BEGIN
    FOR value IN
        SELECT attrelid::regclass AS rollup, attname AS name
        FROM pg_attribute
        WHERE attrelid IN (
                'rollup_hour'::regclass, 'rollup_day'::regclass,
                'rollup_user_day'::regclass, 'rollup_user_total'::regclass
            )
            AND attnum > 0 AND NOT attisdropped
            AND attname NOT IN
                ('hour', 'day', 'span', 'start', 'attribution_id', 'user_id', 'effective_cost')
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', value.rollup, value.name);
    END LOOP;
END
$$
