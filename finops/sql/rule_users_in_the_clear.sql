-- One row: a user whom a rule names, and whose name is not stored as a hash.
SELECT DISTINCT conditions ->> 'user'
FROM ownership_rule
WHERE dimensions = '{user}' AND conditions ->> 'user' !~ '^(u_[0-9a-f]{24}|erased-[0-9a-f]{16})$'
