-- One row: all users of one span, in place of what is there.
INSERT INTO rollup_user_span AS held (
    span, start, users, requests, unpriced_requests, effective_cost, lowest
) VALUES (
    %(span)s, %(start)s, %(users)s, %(requests)s, %(unpriced_requests)s, %(effective_cost)s,
    %(lowest)s
)
ON CONFLICT (span, start) DO UPDATE SET
    users = excluded.users,
    requests = excluded.requests,
    unpriced_requests = excluded.unpriced_requests,
    effective_cost = excluded.effective_cost,
    lowest = excluded.lowest
