-- One row: a value that some usage has of one of the %(dimensions)s, those of users apart.
SELECT DISTINCT held.dimension, held.value
FROM attribution
LEFT JOIN team ON team.name = attribution.team
CROSS JOIN LATERAL (
    VALUES
        ('provider', attribution.provider),
        ('model', attribution.model),
        ('operation', attribution.operation),
        ('service', attribution.service),
        ('feature', attribution.feature),
        ('team', attribution.team),
        ('cost_center', team.cost_center),
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
) AS held (dimension, value)
WHERE held.dimension = ANY(%(dimensions)s::text[]) AND held.value <> ''
