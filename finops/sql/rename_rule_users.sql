-- Rules on users whose %(names)s are stored as %(labels)s from now on. One row: that rules changed.
WITH renamed AS (
    UPDATE ownership_rule AS rule SET conditions = jsonb_build_object('user', each.label)
    FROM unnest(%(names)s::text[], %(labels)s::text[]) AS each (name, label)
    WHERE rule.dimensions = '{user}' AND rule.conditions ->> 'user' = each.name
    RETURNING rule.id
)
UPDATE ownership_state SET version = version + 1 WHERE EXISTS (SELECT FROM renamed)
