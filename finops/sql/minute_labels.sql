-- One row: one key of minutes with its labels; key 0 has none.
SELECT DISTINCT
    minute_key.key_id,
    coalesce(nullif(attribution.team, ''), 'Unattributed'),
    coalesce(nullif(attribution.feature, ''), 'Unattributed'),
    coalesce(nullif(attribution.model, ''), 'Unattributed')
FROM minute_key
JOIN attribution ON attribution.id = minute_key.key_id
