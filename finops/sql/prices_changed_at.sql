-- One row: when a price line or exchange rates were last added or superseded.
SELECT greatest(
    (SELECT greatest(max(recorded_at), max(superseded_at)) FROM price),
    (SELECT greatest(max(imported_at), max(superseded_at)) FROM exchange_fixing)
)
