"""What in an incident changed: combinations of dimensions, users among them, that explain it.

What was expected of the whole is taken to have been as that usage was parted in the week before;
the combinations are those of finops.root_cause. With what they leave unexplained they are the
difference to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from finops import formats, labels
from finops.anomalies import views
from finops.anomalies.comparing import question, usual
from finops.anomalies.measures import SUMMED
from finops.anomalies.severities import Thresholds, is_worth_telling
from finops.costs import QueryTooSlow
from finops.models import Anomaly
from finops.periods import InvalidQuery
from finops.root_cause import explanations

# A turn looks for the causes of so many; each takes some tenths of a second.
MOST_IN_A_TURN = 3
# They are looked for again when so much more has come.
GROWN = Decimal("1.5")
# Who made less is not named as the one who did it.
LEAST_NAMED = 0.25
MOST_NAMED = 2
ALL = 0.995
SAME = Decimal(1).scaleb(-9)


@dataclass(frozen=True, slots=True)
class Part:
    """`elements` are dimension → value; `share` is of the whole difference, which may be less."""

    elements: Mapping[str, str]
    difference: Decimal
    share: float


@dataclass(frozen=True, slots=True)
class Causes:
    """`difference` is that of the parts and of what is `unexplained`, up to `until`."""

    parts: tuple[Part, ...]
    difference: Decimal
    unexplained: Decimal
    until: datetime


def look(
    thresholds: Thresholds, zone: ZoneInfo, now: datetime, has_time: Callable[[], bool]
) -> None:
    """Find those of what leads, costs, and is worth telling; the dearest first."""
    leads = Anomaly.objects.filter(
        lead=None, metric=Anomaly.Metric.COST, ended_at__gt=now - timedelta(days=3)
    ).defer("picture")
    wanted = [each for each in leads if is_worth_telling(each, thresholds) and is_due(each)]
    wanted.sort(key=lambda each: -abs(each.impact or Decimal(0)))
    for at, each in enumerate(wanted[:MOST_IN_A_TURN]):
        if at and not has_time():
            return
        found = find(each, zone)
        # Beside it people may be saying what it is.
        Anomaly.objects.filter(pk=each.pk).update(causes=found)


def is_due(anomaly: Anomaly) -> bool:
    held = anomaly.causes
    if not held:
        return True
    if anomaly.closed_at and held["until"] != anomaly.ended_at.isoformat():
        return True
    return bool(abs(anomaly.impact or Decimal(0)) > abs(Decimal(held["impact"])) * GROWN)


def find(anomaly: Anomaly, zone: ZoneInfo) -> dict[str, Any]:
    """As JSON keeps it; without parts where they cannot be found."""
    held = views.read(anomaly.spans, anomaly.direction, adds_up=anomaly.metric in SUMMED)
    of, (period, before) = views.whole(held), usual(anomaly, zone)
    found = {
        "until": anomaly.ended_at.isoformat(),
        "impact": views.written(anomaly.impact or Decimal(0)),
        "parts": [],
    }
    after = question(anomaly, period, zone)
    try:
        with transaction.atomic():
            told = explanations.explain(
                after.replace(period=before), after, expected=max(of.expected, Decimal(0))
            )
    except (InvalidQuery, QueryTooSlow):
        return found
    if told.difference is None or told.unexplained is None:
        return found
    # Parts that are taken in proportion end at some digit.
    is_same = of.impact is not None and abs(told.difference - of.impact) < SAME
    return found | {
        "difference": views.written(of.impact if is_same and of.impact else told.difference),
        "parts": [
            {
                "elements": dict(each.elements),
                "difference": views.written(each.difference),
                "share": each.share_of_difference,
            }
            for each in told.causes
        ],
    }


def causes_of(anomaly: Anomaly) -> Causes | None:
    """None where there are none to name."""
    held = anomaly.causes
    if not held or not held["parts"]:
        return None
    parts = tuple(
        Part(each["elements"], Decimal(each["difference"]), each["share"] or 0.0)
        for each in held["parts"]
    )
    difference = Decimal(held["difference"])
    left = difference - views.exact_sum(each.difference for each in parts)
    return Causes(parts, difference, left, datetime.fromisoformat(held["until"]))


def told(anomaly: Anomaly) -> str:
    """User u-17 made 83 % of the excess; "" where nobody did more than the series says itself."""
    found = causes_of(anomaly)
    if found is None:
        return ""
    named = [
        (name, each)
        for each in found.parts
        if each.share >= LEAST_NAMED and (name := named_of(each, anomaly))
    ]
    if not named:
        return ""
    what = "excess" if (anomaly.impact or 0) >= 0 else "fall"
    said = [f"{name} made {how_much(each.share)}" for name, each in named[:MOST_NAMED]]
    text = f"{' and '.join(said)} of the {what}"
    return text[0].upper() + text[1:]


def how_much(share: float) -> str:
    """Of more than all of it others made less meanwhile."""
    return "all" if share > ALL else formats.share_short(share, 1)


def named_of(part: Part, anomaly: Anomaly) -> str:
    """What it says beyond the series, the user before all else."""
    more = {k: v for k, v in part.elements.items() if anomaly.filters.get(k) != v}
    ranked = sorted(more.items(), key=lambda each: (each[0] != "user", each[0]))
    return ", ".join(f"{titled(name)} {value}" for name, value in ranked)


def elements(part: Part) -> str:
    """Feature answers, user u-17."""
    text = ", ".join(f"{titled(name)} {value}" for name, value in part.elements.items())
    return text[:1].upper() + text[1:]


def titled(name: str) -> str:
    return name if name.startswith("tag:") else labels.dimension(name).lower()
