-- One row: the rate of one attribution between two instants, within a daily window (UTC), for
-- inputs over one threshold and up to the next; NULL is an open end. Where no row fits, no price is
-- known. The factors bring prices of other currencies into that of the costs, by that fixing.
CREATE TEMPORARY TABLE rate_window (
    attribution_id     integer NOT NULL,
    starts             timestamptz,
    ends               timestamptz,
    daily_from         time,
    daily_to           time,
    input_over         bigint,
    input_to           bigint,
    price_id           integer NOT NULL,
    contract_price_id  integer,
    fixing_id          integer,
    list_factor        numeric NOT NULL,
    contract_factor    numeric NOT NULL
)
