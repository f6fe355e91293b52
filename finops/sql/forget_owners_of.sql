-- Whom the rules with these %(conditions)s concern is to be looked up anew. One row: some days of one
-- attribution that has all values of one of the conditions.
DELETE FROM attribution_owner
WHERE attribution_id IN (
    SELECT attribution.id
    FROM attribution
    CROSS JOIN LATERAL (SELECT to_jsonb(attribution) AS labels OFFSET 0) AS held
    CROSS JOIN unnest(%(conditions)s::jsonb[]) AS rule (conditions)
    WHERE rule.conditions = (
        SELECT jsonb_object_agg(name, coalesce(nullif(value, ''), 'Unattributed'))
        FROM jsonb_object_keys(rule.conditions) AS name
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN starts_with(name, 'tag:') THEN attribution.tags ->> substr(name, 5)
                ELSE held.labels ->> name
            END
        ) AS own (value)
    )
)
