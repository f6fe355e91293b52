-- One row: a day whose rollups have changed since they were last compared with its events. A
-- comparison takes its row away only if nothing has changed the day meanwhile.
CREATE TABLE rollup_unchecked (
    day         date PRIMARY KEY,
    changed_by  xid8 NOT NULL  -- the transaction that changed the day last
) WITH (fillfactor = 50);
