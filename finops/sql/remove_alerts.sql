-- Removes up to %(limit)s alerts that were raised before %(before)s, the oldest first, with their
-- deliveries and the attempts at these. Of several alerts in one message the first has the attempts:
-- while another one of them is younger it stays, and so does what is still on its way. Deliveries in
-- one message with what goes, of alerts that go tonight too, go with it.
WITH old AS (
    SELECT alert.id
    FROM alert
    WHERE alert.raised_at < %(before)s
        AND NOT EXISTS (
            SELECT
            FROM alert_delivery AS own
            LEFT JOIN alert_delivery AS follower ON follower.leader_id = own.id
            LEFT JOIN alert AS other ON other.id = follower.alert_id
            WHERE own.alert_id = alert.id
                AND (own.state IN ('waiting', 'sending') OR other.raised_at >= %(before)s)
        )
    ORDER BY alert.raised_at
    LIMIT %(limit)s
),
own AS (
    SELECT alert_delivery.id FROM alert_delivery JOIN old ON old.id = alert_delivery.alert_id
),
told AS (
    SELECT id FROM own
    UNION
    SELECT alert_delivery.id FROM alert_delivery JOIN own ON own.id = alert_delivery.leader_id
),
attempts AS (
    DELETE FROM alert_delivery_attempt USING told WHERE delivery_id = told.id
),
deliveries AS (
    DELETE FROM alert_delivery USING told WHERE alert_delivery.id = told.id
)
DELETE FROM alert USING old WHERE alert.id = old.id
