"""Budgets that are enforced, as finops hands them over, and which of them a question touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Literal, NamedTuple

import msgspec

from ingest.enforcement.owners import Owners
from ingest.enforcement.questions import Question
from ingest.events import SERVICE_TIERS
from ingest.facts import Scope

UNATTRIBUTED = "Unattributed"
# The period of budgets that roll: it never ends.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
# What nobody knows before a call. A budget of it counts as touched: better asked too often.
UNKNOWN = frozenset({"latency_tier"})
TAG_PREFIX = "tag:"
USER = "user"
COST_CENTER = "cost_center"
# Combinations of values by which one budget is found.
MOST_KEYS = 100


class Condition(msgspec.Struct, frozen=True):
    """Keep only (or, with `exclude`, drop) calls whose dimension has one of the values."""

    dimension: str
    values: frozenset[str]
    exclude: bool = False


class Terms(msgspec.Struct, frozen=True):
    """One enforced budget in its present period. Money is USD."""

    budget: int
    name: str
    amount: Decimal
    policy: Literal["throttle", "block"]
    starts: datetime
    ends: datetime | None = None  # None where it rolls; `starts` is ALWAYS then
    filters: tuple[Condition, ...] = ()
    each: str = ""  # a dimension: a budget for each value of it
    team: str = ""  # the one team whose usage it is all of
    throttle_percent: Decimal | None = None
    fail_closed: bool = False
    unpriced: Literal["ignore", "estimate", "breach"] = "ignore"
    unpriced_rate: Decimal | None = None  # USD per million tokens
    cost: Literal["effective", "list"] = "effective"
    has_amount: bool = True  # False where only values have one, each its own
    is_failing: bool = False  # its figures could not be worked out

    def asks_for(self, dimension: str) -> bool:
        return dimension == self.each or any(each.dimension == dimension for each in self.filters)

    def period(self, at: datetime) -> datetime:
        """When the period began that this moment is in. After the one that is known there is one
        of which nothing is known to be spent yet."""
        return self.ends if self.ends is not None and at >= self.ends else self.starts


class Standing(NamedTuple):
    """What is spent in the period that began then; `amount` where the value has its own."""

    period: datetime
    spent: Decimal
    amount: Decimal | None = None


class Place(NamedTuple):
    """A budget, and where it is one for each value of a dimension the value; '' elsewhere."""

    budget: int
    value: str


class Caller(NamedTuple):
    """Who asks: what budgets can be told apart by, each as it may be written."""

    values: Mapping[str, tuple[str, ...]]  # dimension → its value; of a user in every form
    tags: Mapping[str, str]

    def of(self, dimension: str) -> tuple[str, ...]:
        if (forms := self.values.get(dimension)) is not None:
            return forms
        if dimension.startswith(TAG_PREFIX):
            return (self.tags.get(dimension.removeprefix(TAG_PREFIX)) or UNATTRIBUTED,)
        return (UNATTRIBUTED,)


_Rest = tuple[Terms, Sequence[Condition]]


def caller_of(
    question: Question,
    scope: Scope,
    names_of: Callable[[str], tuple[str, ...]],
    owners: Owners,
    activated_tags: frozenset[str],
) -> Caller:
    """With the defaults that the call's event will have. `names_of` gives every form of a user's
    name, first the one that is stored."""
    team = question.team or scope.team
    given = {
        "provider": question.provider or "unknown",
        "model": question.model,
        "operation": question.operation or "chat",
        "service": question.service or scope.service,
        "feature": question.feature,
        "team": team,
        "environment": question.environment or scope.environment,
        "region": question.region,
        "service_tier": SERVICE_TIERS[question.service_tier or "standard"],
        "status": "ok",
        "cache": "none",
        "fleet": question.fleet,
        "variant": question.variant,
    }
    values: dict[str, tuple[str, ...]] = {
        name: (value or UNATTRIBUTED,) for name, value in given.items()
    }
    if question.user:
        values[USER] = names_of(question.user)
    tags = {key: value for key, value in (question.tags or {}).items() if key in activated_tags}
    caller = Caller(values, tags)
    values[COST_CENTER] = (owners.of(team, caller.of) or UNATTRIBUTED,)
    return caller


def matches(condition: Condition, caller: Caller) -> bool:
    if condition.dimension in UNKNOWN:
        return True
    has_one = any(value in condition.values for value in caller.of(condition.dimension))
    return has_one != condition.exclude


class Index:
    """Enforced budgets by the values that they keep, so that of a thousand a few are looked at."""

    def __init__(self, budgets: Iterable[Terms]) -> None:
        self.budgets = {terms.budget: terms for terms in budgets}
        # By dimensions, then by a value of each: budgets, and what else has to match.
        self._kept: dict[tuple[str, ...], dict[tuple[str, ...], list[_Rest]]] = {}
        for terms in self.budgets.values():
            keys, rest = _keys(terms.filters)
            by_values = self._kept.setdefault(tuple(each.dimension for each in keys), {})
            for values in product(*(each.values for each in keys)):
                by_values.setdefault(values, []).append((terms, rest))

    def touched(self, caller: Caller) -> list[Terms]:
        """Each budget once, in a fixed order."""
        found = {}
        for dimensions, by_values in self._kept.items():
            for values in product(*map(caller.of, dimensions)):
                for terms, rest in by_values.get(values, ()):
                    if not rest or all(matches(each, caller) for each in rest):
                        found[terms.budget] = terms
        return [found[budget] for budget in sorted(found)]


def _keys(filters: Sequence[Condition]) -> tuple[Sequence[Condition], Sequence[Condition]]:
    """The conditions to find a budget by, as many as there are while their values are few together,
    and the others."""
    keys: list[Condition] = []
    rest: list[Condition] = []
    count = 1
    for each in sorted(filters, key=lambda each: (len(each.values), each.dimension)):
        is_key = not each.exclude and each.dimension not in UNKNOWN
        if is_key and (not keys or count * len(each.values) <= MOST_KEYS):
            keys.append(each)
            count *= len(each.values)
        else:
            rest.append(each)
    return keys, rest


def with_own_amount(terms: Terms, standing: Standing | None) -> Terms | None:
    """The terms as they are for one value; None where there is no amount to enforce."""
    if standing is not None and standing.amount is not None:
        return msgspec.structs.replace(terms, amount=standing.amount)
    return terms if terms.has_amount else None


def value_of(terms: Terms, caller: Caller, known: Mapping[Place, object]) -> str | None:
    """Which of its values the caller is; None where it is none, or nobody can know."""
    if not terms.each:
        return ""
    if terms.each in UNKNOWN:
        return None
    forms = caller.of(terms.each)
    if forms[0] == UNATTRIBUTED:
        return None  # no value at all
    return next((form for form in forms if Place(terms.budget, form) in known), forms[0])
