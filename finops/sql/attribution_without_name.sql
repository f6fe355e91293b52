-- One row: one attribution as it is without the name. Provider and model are what prices are found
-- by: they lose it where it stands as a word, and keep it where it is the name of something priced.
SELECT
    CASE WHEN %(is_priced)s THEN provider ELSE without_name(provider, %(as_word)s, %(label)s) END,
    CASE WHEN %(is_priced)s THEN model ELSE without_name(model, %(as_word)s, %(label)s) END,
    without_name(operation, %(pattern)s, %(label)s),
    without_name(service, %(pattern)s, %(label)s),
    without_name(feature, %(pattern)s, %(label)s),
    without_name(team, %(pattern)s, %(label)s),
    without_name(environment, %(pattern)s, %(label)s),
    without_name(region, %(pattern)s, %(label)s),
    without_name(latency_tier, %(pattern)s, %(label)s),
    service_tier, status, cache,
    without_name(fleet, %(pattern)s, %(label)s),
    without_name(variant, %(pattern)s, %(label)s),
    without_name(tags, %(pattern)s, %(label)s)::text
FROM attribution
WHERE id = %(id)s
