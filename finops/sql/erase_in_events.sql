-- One row: one event of a portion, with the label in place of what the pattern matches. The event's
-- key stays, so that the same event sent again still counts once.
-- Found by the primary key (event_key, day) of the day's partition.
WITH cleaned AS MATERIALIZED (
    SELECT
        event_key,
        without_name(event_id, %(pattern)s, %(label)s) AS event_id,
        without_name(session, %(pattern)s, %(label)s) AS session,
        without_name(prompt_hash, %(pattern)s, %(label)s) AS prompt_hash,
        -- Taking a JSON value apart takes longer than finding that it has not the name.
        CASE
            WHEN tags::text ~* %(anywhere_in_json)s
            THEN without_name(tags, %(pattern)s, %(label)s) ELSE tags
        END AS tags,
        CASE
            WHEN stages_ms::text ~* %(anywhere_in_json)s
            THEN without_name(stages_ms, %(pattern)s, %(label)s) ELSE stages_ms
        END AS stages_ms
    FROM usage_event
    WHERE day = %(day)s AND event_key = ANY(%(keys)s::uuid[])
)
UPDATE usage_event SET
    event_id = cleaned.event_id,
    session = cleaned.session,
    prompt_hash = cleaned.prompt_hash,
    tags = cleaned.tags,
    stages_ms = cleaned.stages_ms
FROM cleaned
WHERE usage_event.day = %(day)s AND usage_event.event_key = cleaned.event_key
    AND (usage_event.event_id, usage_event.session, usage_event.prompt_hash, usage_event.tags,
         usage_event.stages_ms)
    IS DISTINCT FROM (
        cleaned.event_id, cleaned.session, cleaned.prompt_hash, cleaned.tags, cleaned.stages_ms
    )
