-- What a fold adds to the rollups, gathered first; emptied by every COMMIT. fresh_event has one row
-- per event, in the reporting zone's hour and day, fresh_hour one per hour and attribution.
-- fresh_user_day, one per day, attribution and user, is filled by a rebuild alone.
CREATE TEMPORARY TABLE IF NOT EXISTS fresh_event (
    hour  timestamptz,
    day   date,
    LIKE foldable_event
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fresh_hour (LIKE rollup_hour) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fresh_user_day (LIKE rollup_user_day) ON COMMIT DELETE ROWS;
-- Left by an earlier fold of the same transaction.
DELETE FROM fresh_event;
DELETE FROM fresh_hour;
DELETE FROM fresh_user_day
