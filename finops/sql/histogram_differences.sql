-- Of a histogram as compact_histogram reads them, with counts below zero where a rebuild takes away
-- what the events do not say: one entry for each bin whose counts do not cancel out.
CREATE FUNCTION remaining_histogram(histogram bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(string_agg(bin || int4send(requests), '' ORDER BY bin), '')
    FROM (
        SELECT substr(histogram, at, 2) AS bin, sum(
            (get_byte(histogram, at + 1) << 24) | (get_byte(histogram, at + 2) << 16)
            | (get_byte(histogram, at + 3) << 8) | get_byte(histogram, at + 4)
        )::integer AS requests
        FROM generate_series(1, length(histogram), 6) AS at
        GROUP BY 1
    ) AS bins
    WHERE requests <> 0
$$
