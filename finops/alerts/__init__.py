"""Alerts: raised once, routed to channels, sent from an outbox, answered by people.

`facts` of an alert of a budget are {"budget": name, "value": "" or one value of `dimension`,
"period_start", "period_end" (ISO), "amount", "actual", "forecast" (decimal strings or None),
"threshold": {"basis", "kind": "percent" or "money", "value"}, "currency", "as_of" (rolled up to),
"unpriced_requests", "series": [{"day", "actual"}] for a chart, "previous": the last period's total
or None, "enforcement": None or {"policy", "acting": "refusing", "slowing" or "", "refuses_from" and
"slows_from" (decimal strings or None), "until": ISO or None}, "url": the path of a page}. A point
of a series may be an hour, {"hour": its name, "actual"}. Other
kinds have what they need of these, and words besides.
"""

from __future__ import annotations

from finops.alerts.answering import acknowledge, snooze, wake
from finops.alerts.outbox import proceed
from finops.alerts.raising import raise_alert, raise_to
from finops.alerts.reminders import give_up, remind
from finops.alerts.retention import forget_old
from finops.alerts.summaries import raise_summaries

__all__ = [
    "acknowledge",
    "forget_old",
    "give_up",
    "proceed",
    "raise_alert",
    "raise_summaries",
    "raise_to",
    "remind",
    "snooze",
    "wake",
]
