-- What budgets for each user keep by the name, under the hash of it. One row each: a user of a budget,
-- in a period. What stands under the hash already stays apart.
WITH hashed AS MATERIALIZED (
    SELECT budget.id AS budget_id, each.name, each.hash
    FROM budget, unnest(%(names)s::text[], %(hashes)s::text[]) AS each (name, hash)
    WHERE budget.for_each = 'user'
),
statuses AS (
    DELETE FROM budget_status AS held USING hashed
    WHERE (held.budget_id, held.value) = (hashed.budget_id, hashed.name)
),
tallies AS (
    DELETE FROM enforcement_tally AS held USING hashed
    WHERE (held.budget_id, held.value) = (hashed.budget_id, hashed.name)
),
closings AS (
    UPDATE budget_closing AS held SET value = hashed.hash FROM hashed
    WHERE (held.budget_id, held.value) = (hashed.budget_id, hashed.name)
        AND NOT EXISTS (
            SELECT FROM budget_closing AS other
            WHERE (other.budget_id, other.value, other.period_start)
                = (held.budget_id, hashed.hash, held.period_start)
        )
),
increases AS (
    UPDATE budget_increase AS held SET value = hashed.hash FROM hashed
    WHERE (held.budget_id, held.value) = (hashed.budget_id, hashed.name)
)
UPDATE budget_crossing AS held SET value = hashed.hash FROM hashed
WHERE (held.budget_id, held.value) = (hashed.budget_id, hashed.name)
    AND NOT EXISTS (
        SELECT FROM budget_crossing AS other
        WHERE (other.budget_id, other.value, other.period_start, other.generation)
            = (held.budget_id, hashed.hash, held.period_start, held.generation)
    )
