-- One row: a day that was compared with its events, and the transaction that had changed it last then.
-- With rollup_unchecked, which comes first, it says of every day whether it is still what it was.
CREATE TABLE rollup_checked (
    day         date PRIMARY KEY,
    changed_by  xid8 NOT NULL
)
