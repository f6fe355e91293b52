-- One row: a value that some usage has of one of the %(dimensions)s, those of users apart.
SELECT DISTINCT held.dimension, held.value
FROM attribution
CROSS JOIN LATERAL (
    VALUES
        ('provider', attribution.provider),
        ('model', attribution.model),
        ('operation', attribution.operation),
        ('service', attribution.service),
        ('feature', attribution.feature),
        ('team', attribution.team),
        ('environment', attribution.environment),
        ('region', attribution.region),
        ('latency_tier', attribution.latency_tier),
        ('service_tier', attribution.service_tier),
        ('status', attribution.status),
        ('cache', attribution.cache),
        ('fleet', attribution.fleet),
        ('variant', attribution.variant)
    UNION ALL
    SELECT 'tag:' || tag.key, tag.value FROM jsonb_each_text(attribution.tags) AS tag
    UNION ALL
    SELECT 'cost_center', cost_center FROM team_owner WHERE team_owner.team = attribution.team
    UNION ALL
    SELECT 'cost_center', cost_center FROM attribution_owner WHERE attribution_id = attribution.id
) AS held (dimension, value)
WHERE held.dimension = ANY(%(dimensions)s::text[]) AND held.value <> ''
UNION
SELECT 'cost_center', cost_center FROM user_owner
WHERE 'cost_center' = ANY(%(dimensions)s::text[])
