-- Planned events about users, under the hashes of their names. One row: one event. A name of an event
-- that was made of a user's anomaly holds the user's.
UPDATE planned_event AS held
SET filters = jsonb_set(
        held.filters,
        '{user}',
        (
            SELECT jsonb_agg(coalesce(each.hash, kept.name) ORDER BY kept.place)
            FROM jsonb_array_elements_text(held.filters -> 'user')
                WITH ORDINALITY AS kept (name, place)
            LEFT JOIN unnest(%(names)s::text[], %(hashes)s::text[]) AS each (name, hash)
                ON each.name = kept.name
        )
    ),
    name = CASE
        WHEN EXISTS (
            SELECT FROM unnest(%(names)s::text[]) AS each (name)
            WHERE held.filters -> 'user' ? each.name AND strpos(held.name, each.name) > 0
        ) THEN 'A planned event of users'
        ELSE held.name
    END
WHERE held.filters -> 'user' ?| %(names)s::text[]
