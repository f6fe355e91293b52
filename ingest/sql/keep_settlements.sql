-- One row: the place, in the arrays, of one settlement that was not known before.
WITH given AS (
    SELECT *
    FROM unnest(
        %(event_key)s::uuid[], %(corrects_key)s::uuid[], %(key_id)s::integer[], %(source)s::text[],
        %(format)s::text[], %(received_at)s::timestamptz[], %(made_at)s::timestamptz[],
        %(said)s::text[]
    ) WITH ORDINALITY AS given (
        event_key, corrects_key, key_id, source, format, received_at, made_at, said, place
    )
),
kept AS (
    INSERT INTO settlement (
        event_key, corrects_key, key_id, source, format, received_at, made_at, said, next_try_at
    )
    SELECT DISTINCT ON (event_key)
        event_key, corrects_key, key_id, source, format, received_at, made_at, said::jsonb,
        received_at
    FROM given
    ORDER BY event_key, place
    ON CONFLICT (event_key) DO NOTHING
    RETURNING event_key
)
SELECT min(given.place)::integer - 1
FROM given
JOIN kept USING (event_key)
GROUP BY event_key
