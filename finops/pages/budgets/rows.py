"""The parts of a budget's form that there are several of: filters, thresholds, planned months.

Each is a row of controls with the same names, so that any number works without scripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.http import QueryDict

from finops import labels
from finops.models import Threshold
from finops.pages.filters import Choice, dimensions
from finops.periods import add_months
from finops.query import Filter, written

MONTHS_AHEAD = 12
# Empty ones that are offered beside those that are filled in.
SPARE = 2
LEAST_FILTERS = 2


@dataclass(slots=True)
class FilterRow:
    dimension: str = ""
    value: str = ""
    is_excluded: bool = False
    error: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.dimension or self.value)

    @property
    def dimensions(self) -> list[Choice]:
        known = dimensions()
        names = known if self.dimension in {"", *known} else [*known, self.dimension]
        return [Choice(labels.dimension(name), name, name == self.dimension) for name in names]


@dataclass(slots=True)
class ThresholdRow:
    basis: str = Threshold.Basis.ACTUAL
    kind: str = Threshold.Kind.PERCENT
    value: str = ""
    window_hours: str = ""
    severity: str = Threshold.Severity.WARNING
    error: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.value or self.window_hours)

    @property
    def bases(self) -> list[Choice]:
        return choices(BASES, self.basis)

    @property
    def kinds(self) -> list[Choice]:
        return choices(KINDS, self.kind)

    @property
    def severities(self) -> list[Choice]:
        return choices(dict(Threshold.Severity.choices), self.severity)

    def terms(self) -> dict[str, Any]:
        """As finops.budgets reads them."""
        return {
            "basis": self.basis,
            "kind": self.kind,
            "value": self.value,
            "window_hours": self.window_hours or None,
            "severity": self.severity,
        }


@dataclass(slots=True)
class PlanRow:
    month: str
    label: str
    amount: str = ""
    error: str = ""


BASES = {
    "actual": "What is spent",
    "forecast": "The forecast of the period",
    "burn_rate": "What is spent within hours",
}
KINDS = {"percent": "% of amount or pace", "money": settings.CURRENCY}


def choices(known: Mapping[str, str], current: str) -> list[Choice]:
    return [Choice(label, value, value == current) for value, label in known.items()]


def posted_filters(data: QueryDict) -> list[FilterRow]:
    names = ("dimension", "value", "sense")
    given = zip_longest(*(data.getlist(name) for name in names), fillvalue="")
    return [FilterRow(d.strip(), v.strip(), sense == "not") for d, v, sense in given]


def filter_rows(filters: Iterable[Filter]) -> list[FilterRow]:
    return [
        FilterRow(each.dimension, value, each.exclude) for each in filters for value in each.values
    ]


def filters_of(rows: Iterable[FilterRow]) -> dict[str, list[str]]:
    """As finops.budgets reads them: dimension → values, "!" before one that is excluded."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.dimension:
            found.setdefault(row.dimension, []).append(written(row.value, row.is_excluded))
    return found


def posted_thresholds(data: QueryDict) -> list[ThresholdRow]:
    names = ("basis", "kind", "value", "window", "severity")
    given = zip_longest(*(data.getlist(f"threshold_{name}") for name in names), fillvalue="")
    return [ThresholdRow(*(text.strip() for text in row)) for row in given]


def posted_plan(data: QueryDict, first: date) -> list[PlanRow]:
    given = zip_longest(data.getlist("plan_month"), data.getlist("plan_amount"), fillvalue="")
    return plan_rows({month: amount.strip() for month, amount in given}, first)


def plan_rows(plan: Mapping[str, str], first: date) -> list[PlanRow]:
    """A year of months from `first` on, and those that are planned already."""
    ahead = {f"{add_months(first, n):%Y-%m}" for n in range(MONTHS_AHEAD)}
    return [PlanRow(month, called(month), plan.get(month, "")) for month in sorted({*ahead, *plan})]


def called(month: str) -> str:
    try:
        return f"{date.fromisoformat(f'{month}-01'):%B %Y}"
    except ValueError:
        return month


def with_spare(rows: Sequence[Any], empty: type[Any], least: int = 0) -> list[Any]:
    """The rows that are filled in, or wrong, and some empty ones."""
    kept = [each for each in rows if not each.is_empty or each.error]
    return [*kept, *(empty() for _ in range(max(SPARE, least - len(kept))))]
