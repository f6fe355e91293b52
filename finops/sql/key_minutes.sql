-- Gives attributions that minutes have not counted yet their key. One row: one such attribution of
-- fresh_event; of more than %(keys)s combinations of team, feature and model the rest are key 0.
INSERT INTO minute_key (attribution_id, key_id)
WITH fresh AS (
    SELECT attribution.id, attribution.team, attribution.feature, attribution.model
    FROM (SELECT DISTINCT attribution_id FROM fresh_hour) AS used
    JOIN attribution ON attribution.id = used.attribution_id
    LEFT JOIN minute_key USING (attribution_id)
    WHERE minute_key.attribution_id IS NULL
),
keyed AS (
    SELECT fresh.id, min(first.id) AS key_id
    FROM fresh
    JOIN attribution AS first USING (team, feature, model)
    GROUP BY fresh.id
),
ranked AS (
    SELECT
        keyed.id, keyed.key_id,
        EXISTS (SELECT FROM minute_key AS held WHERE held.key_id = keyed.key_id) AS is_held,
        dense_rank() OVER (ORDER BY keyed.key_id) AS place
    FROM keyed
)
SELECT
    id,
    CASE
        WHEN is_held
            OR place + (SELECT count(DISTINCT held.key_id) FROM minute_key AS held) <= %(keys)s
        THEN key_id
        ELSE 0
    END
FROM ranked
ON CONFLICT (attribution_id) DO NOTHING
