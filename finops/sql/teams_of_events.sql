-- One row: a team that events name, its row among the teams where it has one, and how many people
-- are in it. Events of teams beyond the cardinality limit share one name, which is no team.
SELECT named.team, team.id, count(team_member.id)
FROM (SELECT DISTINCT team FROM attribution WHERE team NOT IN ('', '(overflow)')) AS named
LEFT JOIN team ON team.name = named.team
LEFT JOIN team_member ON team_member.team_id = team.id
GROUP BY named.team, team.id
ORDER BY named.team
