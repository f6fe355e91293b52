-- One row: what one user's events of one UTC day add up to, exactly.
SELECT
    count(*) - 2 * count(reverses_key) AS requests,
    coalesce(sum(
        uncached_input_tokens::bigint + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens + input_audio_tokens
    ), 0) AS input_tokens,
    coalesce(sum(
        text_output_tokens::bigint + reasoning_output_tokens + output_audio_tokens
    ), 0) AS output_tokens,
    coalesce(sum(effective_cost), 0) AS effective_cost,
    coalesce(sum(list_cost), 0) AS list_cost
FROM usage_event
WHERE day = %(day)s AND user_id = %(user_id)s
