"""What is counted of the secret team and of the one beside it: see secret_team.py."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User

from finops import business_metrics
from finops.business_metrics import imports
from finops.business_metrics.files import Line
from finops.models import BusinessMetric
from finops.organisation.stored import Act


def count_outcomes(now: datetime, at: datetime, counts: dict[str, int]) -> None:
    """Of each of these teams, on that day; and the same as money."""
    keeper, _ = User.objects.get_or_create(username="keeper")
    act, day = Act(keeper, now), at.date()
    for key, kind, unit in (("outcomes", "count", "outcome"), ("earned", "money", "")):
        terms = {"key": key, "name": key.capitalize(), "kind": kind, "unit": unit}
        draft = business_metrics.read({**terms, "dimensions": ["team"]})
        held = BusinessMetric.objects.filter(key=key).first()
        metric = held or business_metrics.make(draft, act)
        lines = [
            Line(number, day, is_month=False, keys=(team,), value=Decimal(each))
            for number, (team, each) in enumerate(counts.items(), start=1)
        ]
        imports.take(metric, lines, "tests", act)
