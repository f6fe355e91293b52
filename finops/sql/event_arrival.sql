-- One row: the way of one event, found by its key and UTC day: received, committed, folded.
SELECT batch.received_at, batch.committed_at, batch.folded_at, attribution.team,
       event.effective_cost IS NOT NULL AS is_priced
FROM usage_event AS event
JOIN ingest_batch AS batch ON batch.id = event.batch_id
JOIN attribution ON attribution.id = event.attribution_id
WHERE event.event_key = %(event_key)s AND event.day = %(day)s
