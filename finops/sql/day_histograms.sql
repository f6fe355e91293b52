-- One row: the histograms of one attribution in one of these days.
SELECT day, attribution_id, latency_histogram, ttft_histogram
FROM rollup_day
WHERE day = ANY(%(days)s)
