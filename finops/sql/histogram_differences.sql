-- Histograms that take away: entries as compact_histogram reads them, whose counts are less than zero
-- where a rollup counts what its events do not.

CREATE FUNCTION negated_histogram(histogram bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(string_agg(substr(histogram, at, 2) || int4send(-(
        (get_byte(histogram, at + 1) << 24) | (get_byte(histogram, at + 2) << 16)
        | (get_byte(histogram, at + 3) << 8) | get_byte(histogram, at + 4)
    )), '' ORDER BY at), '')
    FROM generate_series(1, length(histogram), 6) AS at
$$;

-- One entry for each bin whose counts do not cancel out; '' where nothing remains.
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
