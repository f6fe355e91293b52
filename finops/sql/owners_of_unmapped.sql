-- One row: some days of one attribution that is in no row of attribution_owner, and the first rule
-- that holds for it on them.
WITH unmapped AS MATERIALIZED (
    SELECT
        id,
        to_jsonb(attribution) - '{id,fingerprint,tags}'::text[] || (
            SELECT coalesce(jsonb_object_agg('tag:' || tag.key, tag.value), '{}')
            FROM jsonb_each_text(attribution.tags) AS tag
        ) AS labels
    FROM attribution
    WHERE NOT EXISTS (
        SELECT FROM attribution_owner WHERE attribution_owner.attribution_id = attribution.id
    )
),
shape AS MATERIALIZED (
    SELECT DISTINCT dimensions FROM ownership_rule WHERE dimensions <> '{user}'
),
question AS MATERIALIZED (
    SELECT
        unmapped.id,
        (
            SELECT jsonb_object_agg(name, coalesce(nullif(labels ->> name, ''), 'Unattributed'))
            FROM unnest(shape.dimensions) AS name
        ) AS conditions
    FROM unmapped
    CROSS JOIN shape
),
candidate AS MATERIALIZED (
    SELECT
        question.id,
        coalesce(rule.effective_from, '0001-01-01') AS from_day,
        coalesce(rule.effective_to, '9999-12-31') AS to_day,
        rule.cost_center, rule.position
    FROM question
    JOIN ownership_rule AS rule ON rule.conditions = question.conditions
),
point AS (
    SELECT id, date '0001-01-01' AS day FROM unmapped
    UNION
    SELECT id, from_day FROM candidate
    UNION
    SELECT id, to_day FROM candidate WHERE to_day < '9999-12-31'
),
span AS (
    SELECT
        id, day AS from_day,
        lead(day, 1, date '9999-12-31') OVER (PARTITION BY id ORDER BY day) AS to_day
    FROM point
)
SELECT DISTINCT ON (span.id, span.from_day)
    span.id AS attribution_id, span.from_day, span.to_day, candidate.cost_center, candidate.position
FROM span
LEFT JOIN candidate ON candidate.id = span.id
    AND candidate.from_day <= span.from_day
    AND candidate.to_day > span.from_day
ORDER BY span.id, span.from_day, candidate.position
