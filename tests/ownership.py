"""Whose usage it is, computed in plain Python from the rules as they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from finops.models import CostCenter, OwnershipRule
from finops.ownership.conditions import FIRST, LAST
from finops.ownership.rules import RuleEntry
from tests.figures import label


@dataclass(slots=True)
class Books:
    """Rules in their order, and per team its cost centers from a day on."""

    zone: ZoneInfo
    rules: Sequence[RuleEntry] = ()
    teams: Mapping[str, Mapping[date, str]] = field(default_factory=dict)

    def owner(self, event: Mapping[str, Any]) -> str:
        """The cost center that bears the event, as a label."""
        day = event["started_at"].astimezone(self.zone).date()
        for rule in self.rules:
            holds = (rule.days.start or FIRST) <= day < (rule.days.end or LAST)
            if holds and all(
                value_of(event, name) == value for name, value in rule.conditions.items()
            ):
                return rule.cost_center
        moves = self.teams.get(event["team"], {})
        known = [moves[start] for start in sorted(moves) if start <= day]
        return (known[-1] if known else "") or "Unattributed"


def value_of(event: Mapping[str, Any], name: str) -> str:
    if name.startswith("tag:"):
        return str(event["tags"].get(name.removeprefix("tag:")) or "Unattributed")
    return label(dict(event), name)


def make_centers(*codes: str) -> None:
    for code in codes:
        CostCenter.objects.get_or_create(code=code)


def a_rule(conditions: dict[str, str], code: str) -> OwnershipRule:
    """The first one of all, by whoever keeps the table."""
    make_centers(code)
    return OwnershipRule.objects.create(
        position=1, conditions=conditions, dimensions=sorted(conditions), cost_center=code
    )
