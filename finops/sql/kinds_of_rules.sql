-- One row: whether there are rules on attribution and on users, and whether something is new: an
-- attribution for which rules are not looked up yet.
SELECT
    EXISTS (SELECT FROM ownership_rule WHERE dimensions <> '{user}'),
    EXISTS (SELECT FROM ownership_rule WHERE dimensions = '{user}'),
    EXISTS (
        SELECT FROM attribution
        WHERE NOT EXISTS (
            SELECT FROM attribution_owner WHERE attribution_owner.attribution_id = attribution.id
        )
    )
