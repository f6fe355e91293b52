-- What a fold adds to the rollups, gathered first; emptied by every COMMIT. fresh_event has one row
-- per event, fresh_hour one per hour and attribution. Parts of a cost that are 0 are NULL: sums skip
-- those at no cost, and adding exact decimals up is most of what a fold does.
CREATE TEMPORARY TABLE IF NOT EXISTS fresh_event (
    hour                            timestamptz,
    day                             date,
    attribution_id                  integer,
    user_id                         integer,
    unpriced                        integer,
    is_error                        integer,
    uncached_input_tokens           integer,
    cache_read_input_tokens         integer,
    cache_creation_5m_input_tokens  integer,
    cache_creation_1h_input_tokens  integer,
    input_audio_tokens              integer,
    text_output_tokens              integer,
    reasoning_output_tokens         integer,
    output_audio_tokens             integer,
    discount                        numeric,  -- list less effective cost; NULL without a contract
    effective_cost                  numeric,
    input_cost                      numeric,
    cache_read_cost                 numeric,
    cache_creation_cost             numeric,
    output_cost                     numeric,
    request_cost                    numeric,
    gpu_seconds                     numeric,
    latency_ms                      integer,
    latency_bin                     smallint,
    ttft_bin                        smallint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fresh_hour (LIKE rollup_hour) ON COMMIT DELETE ROWS;
-- Left by an earlier fold of the same transaction.
DELETE FROM fresh_event;
DELETE FROM fresh_hour
