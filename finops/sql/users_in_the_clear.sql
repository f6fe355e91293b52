-- One row: one of the first users after a number whose name is neither hashed nor erased. Row 0
-- stands for nobody.
SELECT id, name
FROM end_user
WHERE id > %(after)s AND id <> 0
    AND name <> '(overflow)'
    AND name !~ '^(u_[0-9a-f]{24}|erased-[0-9a-f]{16})$'
ORDER BY id
LIMIT %(size)s
