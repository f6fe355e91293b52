-- One row: one event of a portion, with the label in place of what the pattern matches. The event's
-- key stays, so that the same event sent again still counts once.
-- Found by the primary key (event_key, day) of the day's partition.
UPDATE usage_event SET
    event_id = without_name(event_id, %(pattern)s, %(label)s),
    session = without_name(session, %(pattern)s, %(label)s),
    prompt_hash = without_name(prompt_hash, %(pattern)s, %(label)s),
    tags = without_name(tags, %(pattern)s, %(label)s),
    stages_ms = without_name(stages_ms, %(pattern)s, %(label)s)
WHERE day = %(day)s AND event_key = ANY(%(keys)s::uuid[])
    AND (event_id, session, prompt_hash, tags, stages_ms) IS DISTINCT FROM (
        without_name(event_id, %(pattern)s, %(label)s),
        without_name(session, %(pattern)s, %(label)s),
        without_name(prompt_hash, %(pattern)s, %(label)s),
        without_name(tags, %(pattern)s, %(label)s),
        without_name(stages_ms, %(pattern)s, %(label)s)
    )
