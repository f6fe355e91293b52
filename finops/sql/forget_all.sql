-- Empties the rollups and marks every batch as not folded: the folding task makes all of it anew.
TRUNCATE rollup_hour, rollup_day, rollup_user_day, rollup_user_total,
    rollup_user_span, rollup_day_users, rollup_unsettled, rollup_minute, minute_key;
UPDATE ingest_batch SET folded_at = NULL WHERE folded_at IS NOT NULL;
INSERT INTO rollup_state (zone, currency, folded_at) VALUES (%(zone)s, %(currency)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET zone = excluded.zone, folded_at = excluded.folded_at
