-- Empties the rollups of whole days, to be made again in the same transaction.
DELETE FROM rollup_hour WHERE hour >= %(start)s AND hour < %(end)s;
DELETE FROM rollup_day WHERE day >= %(first_day)s AND day < %(end_day)s;
DELETE FROM rollup_user_day WHERE day >= %(first_day)s AND day < %(end_day)s;
DELETE FROM rollup_user_day_total WHERE day >= %(first_day)s AND day < %(end_day)s
