-- One row: a team, feature and model that a request has had together, named as series name them.
SELECT DISTINCT
    coalesce(nullif(team, ''), 'Unattributed') AS team,
    coalesce(nullif(feature, ''), 'Unattributed') AS feature,
    coalesce(nullif(model, ''), 'Unattributed') AS model
FROM attribution
