-- One row: one user under the hash of the name, unless it was erased meanwhile.
UPDATE end_user SET name = each.hash
FROM unnest(%(ids)s::integer[], %(names)s::text[], %(hashes)s::text[]) AS each (id, name, hash)
WHERE end_user.id = each.id AND end_user.name = each.name
