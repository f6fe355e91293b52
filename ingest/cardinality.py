"""The guard on attribution: past a limit, new values of a dimension become (overflow).

A uuid in `feature` would otherwise make every rollup as long as the events. Known values stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from ingest.events import KNOWN_TIERS
from ingest.facts import Attribution
from ingest.overflows import Overflows

OVERFLOW = "(overflow)"

LIMITS: Mapping[str, int] = {
    "provider": 100,
    "model": 500,
    "operation": 50,
    "service": 500,
    "feature": 500,
    "team": 500,
    "environment": 50,
    "region": 100,
    "latency_tier": 20,
    "service_tier": 10,
    "status": 10,
    "cache": 10,
    "fleet": 100,
    "variant": 200,
}
TAG_VALUES_LIMIT = 200  # per activated key
COMBINATIONS_LIMIT = 50_000
MOST_COMBINATIONS = 200_000  # that an organisation may allow
USERS_LIMIT = 1_000_000
TAG, USER, COMBINATIONS = "tag", "user", "combinations"
# All of them by name; an organisation may decide on others (ingest/decisions.py).
DEFAULT_LIMITS: Mapping[str, int] = {
    **LIMITS,
    TAG: TAG_VALUES_LIMIT,
    USER: USERS_LIMIT,
    COMBINATIONS: COMBINATIONS_LIMIT,
}

# Given up first when there are too many combinations; the owners of the cost only after them.
_DETAIL = ("feature", "region", "latency_tier", "variant")
_OWNERS = (*_DETAIL, "operation", "service", "team", "environment", "fleet")


class Cardinality:
    """The values seen per dimension, as far as they count against a limit."""

    def __init__(
        self,
        limits: Mapping[str, int] = LIMITS,
        tag_values_limit: int = TAG_VALUES_LIMIT,
        combinations_limit: int = COMBINATIONS_LIMIT,
    ) -> None:
        self._limits = [limits[dimension] for dimension in Attribution._fields[:-1]]
        self._tag_values_limit = tag_values_limit
        self._combinations_limit = combinations_limit
        self._values: list[set[str]] = [set() for _ in self._limits]
        # Strangers may not crowd out the tiers that have prices.
        self._values[Attribution._fields.index("service_tier")] |= KNOWN_TIERS
        self._tag_values: dict[str, set[str]] = {}
        self._combinations = 0
        self.overflows: Counter[str] = Counter()  # dimension → values, once per commit
        self.noted = Overflows()  # the same for people, kept beyond this process

    def limit(self, limits: Mapping[str, int]) -> None:
        """Let these hold from now on, all of DEFAULT_LIMITS; values that are known stay so."""
        self._limits = [limits[dimension] for dimension in Attribution._fields[:-1]]
        self._tag_values_limit = limits[TAG]
        self._combinations_limit = limits[COMBINATIONS]

    def know(self, attributions: Iterable[Attribution]) -> None:
        """Count combinations that are in the database, whoever put them there."""
        for attribution in attributions:
            self._combinations += 1
            for values, value in zip(self._values, attribution, strict=False):
                if isinstance(value, str) and value and value != OVERFLOW:
                    values.add(value)
            for key, value in attribution.tags:
                if value != OVERFLOW:
                    self._tag_values.setdefault(key, set()).add(value)

    def fold(self, attribution: Attribution) -> Attribution:
        """A combination not seen before, with what is past a limit replaced by (overflow)."""
        past: dict[str, str] = {}
        for index, value in enumerate(attribution[:-1]):
            assert isinstance(value, str)
            if not value or value == OVERFLOW or value in self._values[index]:
                continue
            if len(self._values[index]) < self._limits[index]:
                self._values[index].add(value)
                continue
            dimension = Attribution._fields[index]
            past[dimension] = value
        if past:
            attribution = _overflowing(attribution, past)
        for dimension, value in past.items():
            self.overflow(dimension, attribution.team, value)
        if attribution.tags:
            team = attribution.team
            tags = tuple((k, self._tag_value(k, value, team)) for k, value in attribution.tags)
            attribution = attribution._replace(tags=tags)
        return attribution

    def overflow(self, dimension: str, team: str, value: str = "", times: int = 1) -> None:
        """Count what is past a limit; values that name people are not given."""
        self.overflows[dimension] += times
        self.noted.add(dimension, team, value, times)

    def fold_combination(self, attribution: Attribution) -> Attribution:
        """A combination that is not in the database, made coarser when there are too many."""
        if self._combinations < self._combinations_limit:
            return attribution
        self.overflow(COMBINATIONS, attribution.team)
        many_too_many = self._combinations >= 2 * self._combinations_limit
        coarser = _overflowing(attribution, _OWNERS if many_too_many else _DETAIL)
        return coarser._replace(tags=tuple((key, OVERFLOW) for key, _ in attribution.tags))

    def _tag_value(self, key: str, value: str, team: str) -> str:
        values = self._tag_values.setdefault(key, set())
        if value == OVERFLOW or value in values:
            return value
        if len(values) < self._tag_values_limit:
            values.add(value)
            return value
        self.overflow(f"tag:{key}", team, value)
        return OVERFLOW


def _overflowing(attribution: Attribution, dimensions: Collection[str]) -> Attribution:
    """What was given for these dimensions, replaced; what was not stays not given."""
    values = [
        OVERFLOW if dimension in dimensions and value else value
        for dimension, value in zip(Attribution._fields, attribution, strict=True)
    ]
    return Attribution._make(values)
