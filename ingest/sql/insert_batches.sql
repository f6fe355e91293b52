-- One row: what one key brought to one commit in one format. Written in the events' transaction.
INSERT INTO ingest_batch (
    id, key_id, source, format, received_at, committed_at, accepted, duplicates, rejected,
    unknown_fields, unknown_names, clients, first_started_at, last_started_at
)
SELECT batch.id, batch.key_id, batch.source, batch.format, batch.received_at, clock_timestamp(),
       batch.accepted, batch.duplicates, batch.rejected::jsonb, batch.unknown_fields,
       batch.unknown_names::jsonb, batch.clients::jsonb, batch.first_started_at, batch.last_started_at
FROM unnest(
    %(id)s::bigint[], %(key_id)s::integer[], %(source)s::text[], %(format)s::text[],
    %(received_at)s::timestamptz[], %(accepted)s::integer[], %(duplicates)s::integer[],
    %(rejected)s::text[], %(unknown_fields)s::integer[],
    %(unknown_names)s::text[], %(clients)s::text[],
    %(first_started_at)s::timestamptz[], %(last_started_at)s::timestamptz[]
) AS batch (
    id, key_id, source, format, received_at, accepted, duplicates, rejected,
    unknown_fields, unknown_names, clients, first_started_at, last_started_at
)
