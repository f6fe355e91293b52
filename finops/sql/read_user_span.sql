-- One row: all users of one span.
SELECT users, requests, unpriced_requests, effective_cost, lowest
FROM rollup_user_span
WHERE span = %(span)s AND start = %(start)s
