-- How a name is found and replaced. One definition for the erasure, its search and the trigger that
-- guards the audit log; see finops/erasures.

-- The ways in which these names may be written: as they are, and within a JSON string, with other
-- than ASCII characters escaped or not.
CREATE FUNCTION name_forms(names text[]) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT form)
    FROM unnest(names) AS name
    CROSS JOIN LATERAL (SELECT to_json(name)::text AS quoted) AS json
    CROSS JOIN LATERAL (SELECT substr(quoted, 2, length(quoted) - 2) AS escaped) AS plain
    CROSS JOIN LATERAL (
        SELECT string_agg(
            CASE
                WHEN code < 128 THEN letter
                WHEN code < 65536 THEN '\u' || lpad(to_hex(code), 4, '0')
                ELSE '\u' || to_hex(55296 + ((code - 65536) >> 10))
                    || '\u' || to_hex(56320 + ((code - 65536) & 1023))
            END, '' ORDER BY place
        ) AS ascii
        FROM string_to_table(escaped, NULL) WITH ORDINALITY AS letters (letter, place)
        CROSS JOIN LATERAL (SELECT ascii(letter) AS code) AS codes
    ) AS further
    CROSS JOIN LATERAL (VALUES (name), (escaped), (ascii)) AS forms (form)
    WHERE name <> ''
$$;

-- A regular expression that matches this text and nothing else.
CREATE FUNCTION literal_pattern(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(value, '([][\\.^$*+?(){}|])', '\\\1', 'g')
$$;

-- Matches the names wherever they stand, in longer words too.
CREATE FUNCTION name_pattern(names text[]) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '(?:' || string_agg(literal_pattern(form), '|') || ')'
    FROM unnest(name_forms(names)) AS form
$$;

-- Matches whatever name_pattern may match in the strings of a jsonb, in its text.
CREATE FUNCTION name_pattern_in_json(names text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT name_pattern(name_forms(names))
$$;

-- Matches the names by themselves: not ann in joanna, ann-marie, ann_s, x.ann or ann@example.org.
-- After an address a hyphen or an underscore is no part of it: ann@example.org-7.
CREATE FUNCTION name_as_word_pattern(names text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '(?<![[:alnum:]@._-])(?:' || string_agg(
        literal_pattern(form) || CASE
            WHEN form LIKE '_%@_%' THEN '(?![[:alnum:]]|[.][[:alnum:]])'
            ELSE '(?![[:alnum:]@_-]|[.][[:alnum:]])'
        END, '|'
    ) || ')'
    FROM unnest(name_forms(names)) AS form
$$;

CREATE FUNCTION without_name(held text, pattern text, label text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(held, pattern, label, 'gi')
$$;

-- The same within every string of a JSON value, keys too. Of keys that become equal one stays.
CREATE FUNCTION without_name(held jsonb, pattern text, label text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE jsonb_typeof(held)
        WHEN 'string' THEN to_jsonb(without_name(held #>> '{}', pattern, label))
        WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(without_name(item, pattern, label) ORDER BY place), '[]')
            FROM jsonb_array_elements(held) WITH ORDINALITY AS items (item, place)
        )
        WHEN 'object' THEN (
            SELECT coalesce(
                jsonb_object_agg(
                    without_name(key, pattern, label), without_name(value, pattern, label)
                ), '{}'
            )
            FROM jsonb_each(held)
        )
        ELSE held
    END;
END
$$;

-- The audit log still only grows. One thing may change in a record: while an erasure runs that
-- replaces names in other records too, the name of its user for its label, and nothing beside it.
CREATE OR REPLACE FUNCTION refuse_change_of_audit_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND EXISTS (
        SELECT FROM erasure
        CROSS JOIN LATERAL (
            SELECT name_as_word_pattern(ARRAY[name, hashed_name]) AS pattern
        ) AS word
        WHERE finished_at IS NULL AND name <> '' AND is_everywhere
            AND (NEW.id, NEW.at, NEW.action, NEW.subject, NEW.team, NEW.before, NEW.after,
                 NEW.reason, NEW.address)
            IS NOT DISTINCT FROM (
                OLD.id, OLD.at, OLD.action,
                left(without_name(OLD.subject, pattern, label), 400),
                left(without_name(OLD.team, pattern, label), 200),
                without_name(OLD.before, pattern, label),
                without_name(OLD.after, pattern, label),
                without_name(OLD.reason, pattern, label),
                left(without_name(OLD.address, pattern, label), 64)
            )
            AND NEW.actor IN (OLD.actor, left(without_name(OLD.actor, pattern, label), 200))
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit_record is append-only: write another record instead';
END
$$;
