-- What one unit of a currency is in another one, from rates for one euro: to 15 decimals, half up.
-- finops/exchange/rates.py says the same in Python, and a test holds both equal. div() is exact where
-- a division would be rounded to some digits of its own choice. NULL where one of them is unknown.
CREATE OR REPLACE FUNCTION exchange_factor(rates jsonb, currency text, into_currency text)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE
    WHEN currency = into_currency THEN 1
    ELSE trim_scale(div(2 * rate.into_euro * 1000000000000000 + rate.of_euro, 2 * rate.of_euro)
        * 0.000000000000001)
END
FROM (
    SELECT CASE WHEN currency = 'EUR' THEN 1 ELSE (rates ->> currency)::numeric END AS of_euro,
           CASE WHEN into_currency = 'EUR' THEN 1 ELSE (rates ->> into_currency)::numeric END
               AS into_euro
) AS rate
$$
