-- One row: how many values a dimension has, of those that count against its limit.
SELECT 'provider' AS dimension, count(*) AS values
FROM (SELECT DISTINCT provider FROM attribution WHERE provider NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'model' AS dimension, count(*) AS values
FROM (SELECT DISTINCT model FROM attribution WHERE model NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'operation' AS dimension, count(*) AS values
FROM (SELECT DISTINCT operation FROM attribution WHERE operation NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'service' AS dimension, count(*) AS values
FROM (SELECT DISTINCT service FROM attribution WHERE service NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'feature' AS dimension, count(*) AS values
FROM (SELECT DISTINCT feature FROM attribution WHERE feature NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'team' AS dimension, count(*) AS values
FROM (SELECT DISTINCT team FROM attribution WHERE team NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'environment' AS dimension, count(*) AS values
FROM (SELECT DISTINCT environment FROM attribution WHERE environment NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'region' AS dimension, count(*) AS values
FROM (SELECT DISTINCT region FROM attribution WHERE region NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'latency_tier' AS dimension, count(*) AS values
FROM (SELECT DISTINCT latency_tier FROM attribution WHERE latency_tier NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'service_tier' AS dimension, count(*) AS values
FROM (SELECT DISTINCT service_tier FROM attribution WHERE service_tier NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'status' AS dimension, count(*) AS values
FROM (SELECT DISTINCT status FROM attribution WHERE status NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'cache' AS dimension, count(*) AS values
FROM (SELECT DISTINCT cache FROM attribution WHERE cache NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'fleet' AS dimension, count(*) AS values
FROM (SELECT DISTINCT fleet FROM attribution WHERE fleet NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'variant' AS dimension, count(*) AS values
FROM (SELECT DISTINCT variant FROM attribution WHERE variant NOT IN ('', '(overflow)')) AS distinct_values
UNION ALL
SELECT 'tag:' || tag.key, count(DISTINCT tag.value)
FROM attribution, jsonb_each_text(attribution.tags) AS tag
WHERE tag.value <> '(overflow)'
GROUP BY tag.key
UNION ALL
SELECT 'user', count(*) FROM end_user WHERE name NOT IN ('', '(overflow)')
UNION ALL
SELECT 'combinations', count(*) FROM attribution
