-- What the events of some days say more than their rollups; held by the session, from the look at the
-- events until it is added to the rollups in a transaction that follows.
CREATE TEMPORARY TABLE IF NOT EXISTS difference_hour (LIKE rollup_hour);
CREATE TEMPORARY TABLE IF NOT EXISTS difference_day (LIKE rollup_day);
CREATE TEMPORARY TABLE IF NOT EXISTS difference_user_day (LIKE rollup_user_day);
-- Left by one that was interrupted.
TRUNCATE difference_hour, difference_day, difference_user_day
