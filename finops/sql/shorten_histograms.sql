-- Puts shorter histograms of the same counts in place. One row: one attribution in one day.
UPDATE rollup_day AS held SET
    latency_histogram = fresh.latency_histogram,
    ttft_histogram = fresh.ttft_histogram
FROM unnest(
    %(days)s::date[], %(attribution_ids)s::integer[],
    %(latency_histograms)s::bytea[], %(ttft_histograms)s::bytea[]
) AS fresh (day, attribution_id, latency_histogram, ttft_histogram)
WHERE held.day = fresh.day AND held.attribution_id = fresh.attribution_id
