-- One row: one event of a commit that may bring events which are there already; filled by COPY,
-- emptied by every COMMIT.
CREATE TEMPORARY TABLE staged_event (LIKE usage_event INCLUDING DEFAULTS) ON COMMIT DELETE ROWS
