-- One row: some days of one attribution, and the cost center of the first rule that holds for it on
-- them; none (NULL) where no rule does. The spans of an attribution are all of time. An attribution
-- without rows is not mapped yet: see costs/owners.py. May be emptied at any time.
CREATE TABLE attribution_owner (
    attribution_id  integer NOT NULL,
    from_day        date NOT NULL,
    to_day          date NOT NULL,  -- the first day that is not in it
    cost_center     text,
    position        integer,  -- of the rule
    PRIMARY KEY (attribution_id, from_day)
);

-- One row: some days of one user, and the cost center of the rule that names the user.
CREATE VIEW user_owner AS
SELECT
    end_user.id AS user_id,
    coalesce(rule.effective_from, '0001-01-01') AS from_day,
    coalesce(rule.effective_to, '9999-12-31') AS to_day,
    rule.cost_center, rule.position
FROM ownership_rule AS rule
JOIN end_user ON end_user.name = rule.conditions ->> 'user'
WHERE rule.dimensions = '{user}';

-- One row: some days of one team, and its own cost center on them; '' where it had none.
CREATE VIEW team_owner AS
SELECT
    team, from_day, cost_center,
    lead(from_day, 1, '9999-12-31') OVER (PARTITION BY team ORDER BY from_day) AS to_day
FROM (
    SELECT name AS team, date '0001-01-01' AS from_day, cost_center FROM team
    UNION ALL
    SELECT team.name, moved.effective_from, moved.cost_center
    FROM team_cost_center AS moved
    JOIN team ON team.id = moved.team_id
) AS known;

-- Rules are found by all of their conditions at once.
CREATE INDEX ownership_rule_conditions ON ownership_rule USING hash (conditions);
CREATE INDEX ownership_rule_user ON ownership_rule ((conditions ->> 'user'))
    WHERE dimensions = '{user}';
