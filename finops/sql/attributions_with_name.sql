-- One row: one attribution in which the name may stand, and whether only the user of that name has
-- used it.
WITH named AS MATERIALIZED (
    SELECT id
    FROM attribution
    WHERE concat_ws(
            E'\n', provider, model, operation, service, feature, team, environment, region,
            latency_tier, fleet, variant, tags::text
        ) ~* %(anywhere_in_json)s
)
SELECT named.id, coalesce(bool_and(usage.user_id = %(user_id)s), false) AS is_own
FROM named
LEFT JOIN rollup_user_day AS usage ON usage.attribution_id = named.id
GROUP BY named.id
ORDER BY named.id
