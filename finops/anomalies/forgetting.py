"""How long anomalies are kept once they are over: little ones for a quarter of a year, what people
were told of or have said something of as long as alerts."""

from __future__ import annotations

from datetime import datetime, timedelta

from finops.models import Anomaly

LITTLE_KEPT = timedelta(days=90)
KEPT = timedelta(days=396)


def forget(now: datetime) -> int:
    """How many were removed."""
    over = Anomaly.objects.filter(closed_at__lt=now - LITTLE_KEPT)
    little = over.filter(severity=Anomaly.Severity.INFO, verdict="", told_severity="")
    # A part goes with its lead.
    little = little.filter(lead=None) | little.filter(lead__closed_at__lt=now - KEPT)
    old = Anomaly.objects.filter(closed_at__lt=now - KEPT)
    gone = [*little.values_list("pk", flat=True), *old.values_list("pk", flat=True)]
    return Anomaly.objects.filter(pk__in=gone).delete()[1].get("finops.Anomaly", 0)
