-- One row: one event of one UTC day that may hold a name somewhere, and whether it is of the user of
-- that name. Who has used the same name since is somebody new (%(others)s).
SELECT event_key, user_id = %(user_id)s AS is_own
FROM usage_event
WHERE day = %(day)s
    AND user_id <> ALL(%(others)s::integer[])
    AND concat_ws(E'\n', event_id, session, prompt_hash, tags::text, stages_ms::text)
        ~* %(anywhere_in_json)s
