-- Minutes of the last two days, for what is judged while it happens. Zones do not matter to them.

-- One row: which key the usage of an attribution is counted under. The key is the first attribution
-- with the same team, feature and model, whose labels it has; 0 is all that came when there were as
-- many keys as there may be.
CREATE TABLE minute_key (
    attribution_id  integer PRIMARY KEY,
    key_id          integer NOT NULL
);
CREATE INDEX minute_key_key_id ON minute_key (key_id);

-- One row: one minute of one team, feature and model.
CREATE TABLE rollup_minute (
    minute                   timestamptz NOT NULL,
    key_id                   integer NOT NULL,
    requests                 bigint NOT NULL,
    unpriced_requests        bigint NOT NULL,  -- their costs are unknown and in no sum below
    errors                   bigint NOT NULL,
    input_tokens             bigint NOT NULL,  -- all of them, cached ones included
    output_tokens            bigint NOT NULL,  -- all of them, reasoning included
    cache_read_input_tokens  bigint NOT NULL,
    list_cost                numeric NOT NULL,
    effective_cost           numeric NOT NULL,
    latency_count            bigint NOT NULL,  -- requests whose latency is known
    latency_sum_ms           bigint NOT NULL,
    PRIMARY KEY (minute, key_id)
) WITH (fillfactor = 80)
