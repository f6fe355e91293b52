-- One row: in how many events of a portion each column holds a name, as a word and in longer words.
SELECT
    count(*) FILTER (WHERE event_id ~* %(as_word)s) AS event_id,
    count(*) FILTER (WHERE session ~* %(as_word)s) AS session,
    count(*) FILTER (WHERE prompt_hash ~* %(as_word)s) AS prompt_hash,
    count(*) FILTER (WHERE in_tags AND without_name(tags, %(as_word)s, '') <> tags) AS tags,
    count(*) FILTER (WHERE in_stages AND without_name(stages_ms, %(as_word)s, '') <> stages_ms)
        AS stages_ms,
    count(*) FILTER (WHERE event_id ~* %(anywhere)s) AS event_id_anywhere,
    count(*) FILTER (WHERE session ~* %(anywhere)s) AS session_anywhere,
    count(*) FILTER (WHERE prompt_hash ~* %(anywhere)s) AS prompt_hash_anywhere,
    count(*) FILTER (WHERE in_tags AND without_name(tags, %(anywhere)s, '') <> tags)
        AS tags_anywhere,
    count(*) FILTER (WHERE in_stages AND without_name(stages_ms, %(anywhere)s, '') <> stages_ms)
        AS stages_ms_anywhere
FROM usage_event
CROSS JOIN LATERAL (
    SELECT
        tags::text ~* %(anywhere_in_json)s AS in_tags,
        stages_ms::text ~* %(anywhere_in_json)s AS in_stages
) AS may_hold
WHERE day = %(day)s AND event_key = ANY(%(keys)s::uuid[])
