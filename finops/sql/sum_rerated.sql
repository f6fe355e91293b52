-- One row: what rating again does to the events of one provider and model that come to be rated
-- with the same lines. Costs are sums over priced events.
SELECT attribution.provider, attribution.model, event.price_id, event.contract_price_id,
       count(*) AS examined,
       count(*) FILTER (WHERE event.is_changed) AS changed,
       coalesce(sum(event.cost_before), 0) AS cost_before,
       coalesce(sum(event.effective_cost), 0) AS cost_after,
       count(*) FILTER (WHERE event.cost_before IS NULL) AS unpriced_before,
       count(*) FILTER (WHERE event.effective_cost IS NULL) AS unpriced_after
FROM rerated_event AS event
JOIN attribution ON attribution.id = event.attribution_id
GROUP BY attribution.provider, attribution.model, event.price_id, event.contract_price_id
