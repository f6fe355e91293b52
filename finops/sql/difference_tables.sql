-- What the events of some days say more than their rollups; held by the session, from the look at the
-- events until it is added to the rollups in a transaction that follows. In difference a row is an
-- hour of an attribution, or a day, told by its noon.
CREATE TEMPORARY TABLE IF NOT EXISTS difference (is_day boolean NOT NULL, LIKE rollup_hour);
CREATE TEMPORARY TABLE IF NOT EXISTS difference_user_day (LIKE rollup_user_day);
-- Left by one that was interrupted.
TRUNCATE difference, difference_user_day
