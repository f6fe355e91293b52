-- Removes what is no usage any more of the rows that were mended, and from their histograms what the
-- difference has cancelled out.
DELETE FROM rollup_hour AS held USING difference AS mended
WHERE NOT mended.is_day
    AND (held.hour, held.attribution_id) = (mended.hour, mended.attribution_id)
    AND (held.requests, held.input_tokens, held.output_tokens, held.list_cost) = (0, 0, 0, 0);
DELETE FROM rollup_day AS held USING difference AS mended
WHERE mended.is_day
    AND held.day = (mended.hour AT TIME ZONE %(zone)s)::date
    AND held.attribution_id = mended.attribution_id
    AND (held.requests, held.input_tokens, held.output_tokens, held.list_cost) = (0, 0, 0, 0);
DELETE FROM rollup_user_day AS held USING difference_user_day AS mended
WHERE (held.day, held.attribution_id, held.user_id)
        = (mended.day, mended.attribution_id, mended.user_id)
    AND (held.requests, held.input_tokens, held.output_tokens, held.list_cost) = (0, 0, 0, 0);
UPDATE rollup_hour AS held
SET latency_histogram = remaining_histogram(held.latency_histogram),
    ttft_histogram = remaining_histogram(held.ttft_histogram)
FROM difference AS mended
WHERE NOT mended.is_day
    AND (held.hour, held.attribution_id) = (mended.hour, mended.attribution_id)
    AND length(mended.latency_histogram) + length(mended.ttft_histogram) > 0;
UPDATE rollup_day AS held
SET latency_histogram = remaining_histogram(held.latency_histogram),
    ttft_histogram = remaining_histogram(held.ttft_histogram)
FROM difference AS mended
WHERE mended.is_day
    AND held.day = (mended.hour AT TIME ZONE %(zone)s)::date
    AND held.attribution_id = mended.attribution_id
    AND length(mended.latency_histogram) + length(mended.ttft_histogram) > 0
