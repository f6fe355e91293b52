-- Writes what gather_rerated.sql found to be different into the events themselves.
-- Finds them by the primary key (event_key, day) of the day's partition.
UPDATE usage_event
SET price_id = rerated.price_id,
    contract_price_id = rerated.contract_price_id,
    fixing_id = rerated.fixing_id,
    input_cost = rerated.input_cost,
    cache_read_cost = rerated.cache_read_cost,
    cache_creation_cost = rerated.cache_creation_cost,
    output_cost = rerated.output_cost,
    request_cost = rerated.request_cost,
    effective_cost = rerated.effective_cost,
    list_cost = rerated.list_cost
FROM rerated_event AS rerated
WHERE rerated.is_changed
  AND usage_event.event_key = rerated.event_key
  AND usage_event.day = rerated.day
  AND usage_event.day BETWEEN %(first_day)s AND %(last_day)s
