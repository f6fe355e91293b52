-- One row: what rating again does to the events of one provider and model that come to be rated
-- with the same lines. Costs are sums over priced events.
SELECT attribution.provider, attribution.model, event.price_id, event.contract_price_id,
       sum(event.weight) AS examined,
       coalesce(sum(event.weight) FILTER (WHERE event.is_changed), 0) AS changed,
       coalesce(sum(event.cost_before), 0) AS cost_before,
       coalesce(sum(event.effective_cost), 0) AS cost_after,
       coalesce(sum(event.weight) FILTER (WHERE event.cost_before IS NULL), 0) AS unpriced_before,
       coalesce(sum(event.weight) FILTER (WHERE event.effective_cost IS NULL), 0) AS unpriced_after,
       count(*) FILTER (WHERE event.is_changed) AS rows_changed
FROM rerated_event AS event
JOIN attribution ON attribution.id = event.attribution_id
GROUP BY attribution.provider, attribution.model, event.price_id, event.contract_price_id
