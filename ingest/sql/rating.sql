-- The cost formula in SQL, which rates events again; ingest/costs.py rates them at the door, and
-- finops/pricing/formula.py is the reference of both.
--
-- One row: what one request costs, from its disjoint token buckets and the ledger lines it is
-- rated with. Per bucket
--     list      = quantity × list price
--     effective = quantity × (the contract's own price, else list price × (100 − discount) × 0.01)
-- where the contract's price also stands in for a list price that nobody published.
-- Everything is NULL when no price is known: no list line, tokens in a bucket without a price, or
-- a price per GPU-second and no GPU seconds. A bucket without tokens costs 0 whatever its price.
--
-- The factors bring the prices of the two lines into the currency of the costs; 1 where they are in
-- it already.
--
-- input_cost holds uncached and audio input; output_cost text, reasoning and audio output;
-- request_cost the price per request and per GPU-second.
--
-- PostgreSQL inlines it into the statement around it (a lateral call, arguments that are columns).
-- The three levels are fenced by OFFSET 0, or every amount is computed again for each sum it is
-- part of: 21 µs a row instead of 4.
--
--     FROM usage_event AS event
--     LEFT JOIN price AS list ON list.id = event.price_id
--     LEFT JOIN price AS contract ON contract.id = event.contract_price_id
--     CROSS JOIN LATERAL rate_usage(
--         event.uncached_input_tokens, event.cache_read_input_tokens,
--         event.cache_creation_5m_input_tokens, event.cache_creation_1h_input_tokens,
--         event.input_audio_tokens, event.text_output_tokens, event.reasoning_output_tokens,
--         event.output_audio_tokens, event.gpu_seconds, list, contract, 1, 1
--     ) AS cost
CREATE OR REPLACE FUNCTION rate_usage(
    uncached_input_tokens           integer,
    cache_read_input_tokens         integer,
    cache_creation_5m_input_tokens  integer,
    cache_creation_1h_input_tokens  integer,
    input_audio_tokens              integer,
    text_output_tokens              integer,
    reasoning_output_tokens         integer,
    output_audio_tokens             integer,
    gpu_seconds                     numeric,
    list                            price,
    contract                        price,
    list_factor                     numeric,
    contract_factor                 numeric
) RETURNS TABLE (
    input_cost           numeric,
    cache_read_cost      numeric,
    cache_creation_cost  numeric,
    output_cost          numeric,
    request_cost         numeric,
    effective_cost       numeric,
    list_cost            numeric
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE WHEN priced.whole THEN trim_scale(total.input_cost) END,
       CASE WHEN priced.whole THEN trim_scale(total.cache_read_cost) END,
       CASE WHEN priced.whole THEN trim_scale(total.cache_creation_cost) END,
       CASE WHEN priced.whole THEN trim_scale(total.output_cost) END,
       CASE WHEN priced.whole THEN trim_scale(total.request_cost) END,
       CASE WHEN priced.whole THEN trim_scale(total.input_cost + total.cache_read_cost
           + total.cache_creation_cost + total.output_cost + total.request_cost) END,
       CASE WHEN priced.whole THEN trim_scale(total.list_cost) END
FROM (
    SELECT amount.input + amount.cache_read + amount.cache_creation
               + amount.output + amount.request AS list_cost,
           CASE WHEN (contract).id IS NULL THEN amount.input ELSE
               CASE WHEN uncached_input_tokens = 0 THEN 0 ELSE uncached_input_tokens * coalesce(
                   (contract).uncached_input_price * contract_factor,
                   (list).uncached_input_price * list_factor * amount.share) END
               + CASE WHEN input_audio_tokens = 0 THEN 0 ELSE input_audio_tokens * coalesce(
                   (contract).input_audio_price * contract_factor,
                   (list).input_audio_price * list_factor * amount.share) END
           END AS input_cost,
           CASE WHEN (contract).id IS NULL THEN amount.cache_read ELSE
               CASE WHEN cache_read_input_tokens = 0 THEN 0 ELSE cache_read_input_tokens * coalesce(
                   (contract).cache_read_input_price * contract_factor,
                   (list).cache_read_input_price * list_factor * amount.share) END
           END AS cache_read_cost,
           CASE WHEN (contract).id IS NULL THEN amount.cache_creation ELSE
               CASE WHEN cache_creation_5m_input_tokens = 0 THEN 0
                   ELSE cache_creation_5m_input_tokens * coalesce(
                   (contract).cache_creation_5m_input_price * contract_factor,
                   (list).cache_creation_5m_input_price * list_factor * amount.share) END
               + CASE WHEN cache_creation_1h_input_tokens = 0 THEN 0
                   ELSE cache_creation_1h_input_tokens * coalesce(
                   (contract).cache_creation_1h_input_price * contract_factor,
                   (list).cache_creation_1h_input_price * list_factor * amount.share) END
           END AS cache_creation_cost,
           CASE WHEN (contract).id IS NULL THEN amount.output ELSE
               CASE WHEN text_output_tokens = 0 THEN 0 ELSE text_output_tokens * coalesce(
                   (contract).text_output_price * contract_factor,
                   (list).text_output_price * list_factor * amount.share) END
               + CASE WHEN reasoning_output_tokens = 0 THEN 0
                   ELSE reasoning_output_tokens * coalesce(
                   (contract).reasoning_output_price * contract_factor,
                   (list).reasoning_output_price * list_factor * amount.share) END
               + CASE WHEN output_audio_tokens = 0 THEN 0 ELSE output_audio_tokens * coalesce(
                   (contract).output_audio_price * contract_factor,
                   (list).output_audio_price * list_factor * amount.share) END
           END AS output_cost,
           CASE WHEN (contract).id IS NULL THEN amount.request ELSE
               coalesce((contract).request_price * contract_factor,
                   (list).request_price * list_factor * amount.share, 0)
               + CASE WHEN coalesce((contract).gpu_second_price, (list).gpu_second_price, 0) = 0
                   THEN 0 ELSE gpu_seconds * coalesce(
                   (contract).gpu_second_price * contract_factor,
                   (list).gpu_second_price * list_factor * amount.share) END
           END AS request_cost
    FROM (
        SELECT (100 - coalesce((contract).discount_percent, 0)) * 0.01 AS share,
               CASE WHEN uncached_input_tokens = 0 THEN 0 ELSE uncached_input_tokens * coalesce(
                   (list).uncached_input_price * list_factor,
                   (contract).uncached_input_price * contract_factor) END
               + CASE WHEN input_audio_tokens = 0 THEN 0 ELSE input_audio_tokens * coalesce(
                   (list).input_audio_price * list_factor,
                   (contract).input_audio_price * contract_factor) END AS input,
               CASE WHEN cache_read_input_tokens = 0 THEN 0 ELSE cache_read_input_tokens * coalesce(
                   (list).cache_read_input_price * list_factor,
                   (contract).cache_read_input_price * contract_factor)
               END AS cache_read,
               CASE WHEN cache_creation_5m_input_tokens = 0 THEN 0
                   ELSE cache_creation_5m_input_tokens * coalesce(
                   (list).cache_creation_5m_input_price * list_factor,
                   (contract).cache_creation_5m_input_price * contract_factor) END
               + CASE WHEN cache_creation_1h_input_tokens = 0 THEN 0
                   ELSE cache_creation_1h_input_tokens * coalesce(
                   (list).cache_creation_1h_input_price * list_factor,
                   (contract).cache_creation_1h_input_price * contract_factor) END AS cache_creation,
               CASE WHEN text_output_tokens = 0 THEN 0 ELSE text_output_tokens * coalesce(
                   (list).text_output_price * list_factor,
                   (contract).text_output_price * contract_factor) END
               + CASE WHEN reasoning_output_tokens = 0 THEN 0
                   ELSE reasoning_output_tokens * coalesce(
                   (list).reasoning_output_price * list_factor,
                   (contract).reasoning_output_price * contract_factor) END
               + CASE WHEN output_audio_tokens = 0 THEN 0 ELSE output_audio_tokens * coalesce(
                   (list).output_audio_price * list_factor,
                   (contract).output_audio_price * contract_factor) END AS output,
               coalesce((list).request_price * list_factor,
                   (contract).request_price * contract_factor, 0)
               + CASE WHEN coalesce((list).gpu_second_price, (contract).gpu_second_price, 0) = 0
                   THEN 0 ELSE gpu_seconds * coalesce(
                   (list).gpu_second_price * list_factor,
                   (contract).gpu_second_price * contract_factor) END AS request
        OFFSET 0
    ) AS amount
    OFFSET 0
) AS total
CROSS JOIN LATERAL (
    SELECT (list).id IS NOT NULL AND total.list_cost IS NOT NULL
        AND total.request_cost IS NOT NULL AS whole
) AS priced
$$;
