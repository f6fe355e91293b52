-- Anomalies of users under the hash of the name, and none that names users as the cause: causes are
-- found anew. One row: one anomaly.
UPDATE anomaly AS held
SET filters = CASE
        WHEN of.name IS NULL THEN held.filters ELSE jsonb_build_object('user', of.hash)
    END,
    series = CASE WHEN of.name IS NULL THEN held.series ELSE '{"user":"' || of.hash || '"}' END,
    causes = '{}'
FROM anomaly AS each
LEFT JOIN unnest(%(names)s::text[], %(hashes)s::text[]) AS of (name, hash)
    ON each.filters = jsonb_build_object('user', of.name)
WHERE held.id = each.id
    AND (
        of.name IS NOT NULL
        OR EXISTS (
            SELECT FROM jsonb_array_elements(each.causes -> 'parts') AS part
            WHERE part -> 'elements' ->> 'user' = ANY(%(names)s::text[])
        )
    )
