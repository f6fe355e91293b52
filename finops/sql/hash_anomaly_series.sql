-- Anomalies of users under the hash of the name. One row: one anomaly. Where one is open under the
-- hash already it stays as it is.
UPDATE anomaly AS held
SET filters = jsonb_build_object('user', each.hash),
    series = '{"user":"' || each.hash || '"}'
FROM unnest(%(names)s::text[], %(hashes)s::text[]) AS each (name, hash)
WHERE held.filters = jsonb_build_object('user', each.name)
    AND NOT EXISTS (
        SELECT FROM anomaly AS other
        WHERE other.series = '{"user":"' || each.hash || '"}'
            AND (other.metric, other.closed_at IS NULL) = (held.metric, held.closed_at IS NULL)
    )
