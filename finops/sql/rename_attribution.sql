-- One row: one attribution under other labels, unless it has them. Where another attribution has
-- these labels already both stay, with the same labels: ingest finds the other one, and figures are
-- grouped by labels.
UPDATE attribution SET
    fingerprint = CASE
        WHEN EXISTS (SELECT FROM attribution AS other WHERE other.fingerprint = %(fingerprint)s)
        THEN gen_random_uuid()
        ELSE %(fingerprint)s
    END,
    provider = %(provider)s, model = %(model)s, operation = %(operation)s, service = %(service)s,
    feature = %(feature)s, team = %(team)s, environment = %(environment)s, region = %(region)s,
    latency_tier = %(latency_tier)s, fleet = %(fleet)s, variant = %(variant)s,
    tags = %(tags)s::jsonb
WHERE id = %(id)s
    AND (provider, model, operation, service, feature, team, environment, region, latency_tier,
         fleet, variant, tags)
    IS DISTINCT FROM (
        %(provider)s, %(model)s, %(operation)s, %(service)s, %(feature)s, %(team)s,
        %(environment)s, %(region)s, %(latency_tier)s, %(fleet)s, %(variant)s, %(tags)s::jsonb
    )
