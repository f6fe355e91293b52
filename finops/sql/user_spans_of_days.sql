-- One row: a day, week or month that holds some of these days.
SELECT DISTINCT span.name, span.start
FROM unnest(%(days)s::date[]) AS day
CROSS JOIN LATERAL (
    VALUES
        ('day', day),
        ('week', date_trunc('week', day::timestamp)::date),
        ('month', date_trunc('month', day::timestamp)::date)
) AS span (name, start)
