-- One row: one rule, in the order given, in the places after %(after)s.
INSERT INTO ownership_rule (
    position, conditions, dimensions, cost_center, effective_from, effective_to
)
SELECT
    %(after)s + place, conditions,
    ARRAY(SELECT name FROM jsonb_object_keys(conditions) AS name ORDER BY name COLLATE "C"),
    cost_center, effective_from, effective_to
FROM unnest(
    %(conditions)s::jsonb[], %(centers)s::text[], %(starts)s::date[], %(ends)s::date[]
) WITH ORDINALITY AS rule (conditions, cost_center, effective_from, effective_to, place)
