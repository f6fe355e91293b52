-- Removes minutes before %(before)s, then keys that no minute has any more: their place is free for
-- others. What was counted together as key 0 stays so until none of it is left.
DELETE FROM rollup_minute WHERE minute < %(before)s;
DELETE FROM minute_key
WHERE NOT EXISTS (SELECT FROM rollup_minute WHERE rollup_minute.key_id = minute_key.key_id)
