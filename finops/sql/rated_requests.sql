-- One row: one attribution with the number of its request, by which rate_window names what decides
-- its price. is_folded: what ingest rated its events by is not known any more, see
-- skipped_events.sql.
CREATE TEMPORARY TABLE rated_request (
    attribution_id  integer PRIMARY KEY,
    request         integer NOT NULL,
    is_folded       boolean NOT NULL
)
