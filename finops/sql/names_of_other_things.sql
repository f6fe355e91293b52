-- One row: what else has a name, whatever its case, in words for people.
SELECT 'a ' || dimension
FROM attribution
CROSS JOIN LATERAL (
    VALUES ('provider', provider), ('model', model), ('operation', operation),
        ('service', service), ('feature', feature), ('team', team),
        ('environment', environment), ('region', region), ('latency tier', latency_tier),
        ('service tier', service_tier), ('status', status), ('cache', cache),
        ('fleet', fleet), ('variant', variant)
) AS held (dimension, value)
WHERE lower(value) = lower(%(name)s)
UNION
SELECT 'a model or provider of the price ledger' FROM price
WHERE lower(%(name)s) IN (lower(model), lower(provider))
UNION
SELECT 'a team' FROM team WHERE lower(name) = lower(%(name)s)
UNION
SELECT 'a word of Farthing''s own' FROM information_schema.columns
WHERE table_schema = current_schema() AND lower(%(name)s) IN (column_name, table_name)
UNION
SELECT 'somebody who signs in' FROM auth_user
WHERE lower(%(name)s) IN (lower(username), lower(email))
ORDER BY 1
