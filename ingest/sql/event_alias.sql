-- One row: another name of an event that is stored, under which the same call may come again: the
-- response of a provider that it tells of, or the id of an event that did not say when it was.
-- alias_key is a 128-bit digest of the source and the name; a name counts once a UTC day, and a call
-- that may come again after midnight has a row for the next day too. Written in the event's
-- transaction; its partitions are made and dropped with those of usage_event.
CREATE TABLE event_alias (
    alias_key   uuid NOT NULL,
    day         date NOT NULL,
    family      smallint NOT NULL,  -- of the provider, as a number; 0 is not known
    by_gateway  boolean NOT NULL,  -- told by LiteLLM, whose own call id tells its calls apart
    PRIMARY KEY (alias_key, day)
) PARTITION BY RANGE (day);

-- Of the days that have events already.
DO $$
DECLARE
    event_day date;
BEGIN
    FOR event_day IN
        SELECT to_date(right(child.relname, 10), 'YYYY_MM_DD')
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'usage_event'::regclass
    LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF event_alias FOR VALUES FROM (%L) TO (%L)',
            'event_alias_' || to_char(event_day, 'YYYY_MM_DD'), event_day, event_day + 1
        );
    END LOOP;
END
$$;
