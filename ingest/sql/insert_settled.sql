-- One row: one settlement as an event of the moment of the event that it corrects, priced by the
-- ledger as it is.
INSERT INTO usage_event (
    event_key, started_at, batch_id, day, attribution_id, user_id, price_id, contract_price_id, fixing_id,
    uncached_input_tokens, cache_read_input_tokens,
    cache_creation_5m_input_tokens, cache_creation_1h_input_tokens,
    input_audio_tokens, text_output_tokens, reasoning_output_tokens, output_audio_tokens,
    latency_ms, ttft_ms, quality, normalised, gpu_seconds,
    input_cost, cache_read_cost, cache_creation_cost, output_cost, request_cost,
    effective_cost, list_cost, reported_cost,
    event_id, session, prompt_hash, stages_ms, tags, corrects_key
)
SELECT settled.event_key, settled.started_at, settled.batch_id, settled.day,
       settled.attribution_id, settled.user_id, settled.price_id, settled.contract_price_id,
       settled.fixing_id,
       settled.uncached_input, settled.cache_read_input,
       settled.cache_creation_5m_input, settled.cache_creation_1h_input,
       settled.input_audio, settled.text_output, settled.reasoning_output, settled.output_audio,
       settled.latency_ms, settled.ttft_ms, settled.quality, settled.normalised,
       settled.gpu_seconds,
       cost.input_cost, cost.cache_read_cost, cost.cache_creation_cost,
       cost.output_cost, cost.request_cost, cost.effective_cost, cost.list_cost,
       settled.reported_cost,
       settled.event_id, settled.session, settled.prompt_hash, settled.stages_ms, settled.tags,
       settled.corrects_key
FROM jsonb_to_recordset(%(rows)s::jsonb) AS settled (
    event_key uuid, started_at timestamptz, batch_id bigint, day date, attribution_id integer,
    user_id integer, price_id integer, contract_price_id integer, fixing_id integer,
    uncached_input integer, cache_read_input integer, cache_creation_5m_input integer,
    cache_creation_1h_input integer, input_audio integer, text_output integer,
    reasoning_output integer, output_audio integer,
    latency_ms real, ttft_ms real, quality real, normalised boolean, gpu_seconds numeric,
    reported_cost numeric, event_id text, session text, prompt_hash text, stages_ms jsonb,
    tags jsonb, corrects_key uuid
)
LEFT JOIN price AS list ON list.id = settled.price_id
LEFT JOIN price AS contract ON contract.id = settled.contract_price_id
LEFT JOIN exchange_fixing AS fixing ON fixing.id = settled.fixing_id
-- Without a fixing all is in the currency that everything is in.
CROSS JOIN LATERAL (
    SELECT CASE WHEN fixing.id IS NULL THEN 1 ELSE exchange_factor(
               fixing.rates, list.currency, (SELECT currency FROM rollup_state)) END AS of_list,
           CASE WHEN fixing.id IS NULL THEN 1 ELSE exchange_factor(
               fixing.rates, contract.currency, (SELECT currency FROM rollup_state))
           END AS of_contract
    OFFSET 0
) AS factor
CROSS JOIN LATERAL rate_usage(
    settled.uncached_input, settled.cache_read_input,
    settled.cache_creation_5m_input, settled.cache_creation_1h_input,
    settled.input_audio, settled.text_output, settled.reasoning_output, settled.output_audio,
    settled.gpu_seconds, list, contract, factor.of_list, factor.of_contract
) AS cost
