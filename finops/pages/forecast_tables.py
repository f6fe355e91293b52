"""The tables of the page Forecast: months, groups, back-tests, models, and what was taken in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from finops import formats, labels
from finops.forecasts import METHODS, BackTest, Change, Outlook, Part
from finops.forecasts.changes import PRICE, UNTOLD
from finops.pages.links import drilled
from finops.pages.tables import Cell
from finops.periods import local_day
from finops.prospects import Prospect
from finops.query import CostQuery

# Of fewer back-tests a share says nothing.
FEW_TESTS = 3
NO_TESTS = "Models are tried on the past where eight weeks of days are known."
TESTS_NEED = "They need eight weeks of days"


@dataclass(frozen=True, slots=True)
class Month:
    """One month, or one group in a month."""

    name: str
    spent: Cell
    low: Cell
    expected: Cell
    high: Cell


@dataclass(frozen=True, slots=True)
class GroupLine:
    name: str
    href: str
    month: Month
    following: Cell
    method: str
    reason: str
    is_other: bool


@dataclass(frozen=True, slots=True)
class TestLine:
    days: str
    low: Cell
    expected: Cell
    high: Cell
    actual: Cell
    error: str
    is_covered: bool


def months(found: Prospect, now: datetime) -> list[Month]:
    zone = found.query.zone
    return [month(part, span_name(part, zone, now)) for part in found.whole.parts]


def month(part: Part, name: str) -> Month:
    made = part.forecast
    low, expected, high = (
        money(each, made.reason) for each in (made.low, made.expected, made.high)
    )
    return Month(name, money(part.spent), low, expected, high)


def span_name(part: Part, zone: ZoneInfo, now: datetime) -> str:
    """November 2026; of other periods their days."""
    today = local_day(now, zone)
    is_month = part.first.day == 1 and part.end.day == 1 and (part.end - part.first).days <= 31
    if is_month:
        return f"{part.first:%B %Y}" if part.first.year != today.year else f"{part.first:%B}"
    return formats.day_range(part.first, date.fromordinal(part.end.toordinal() - 1), today)


def groups(found: Prospect, query: CostQuery, now: datetime) -> list[GroupLine]:
    lines = []
    for group in found.groups:
        parts = group.outlook.parts
        following = parts[1].forecast if len(parts) > 1 else None
        lines.append(
            GroupLine(
                name=group.name,
                href="" if group.is_other else drilled(query, (group.name,)),
                month=month(parts[0], group.name),
                following=money(following.expected if following else None),
                method=METHODS[group.outlook.method],
                reason=group.outlook.reason,
                is_other=group.is_other,
            )
        )
    known = [(each, line) for each, line in zip(found.groups, lines, strict=True)]
    return [line for _, line in sorted(known, key=lambda pair: order(pair[0].outlook, pair[1]))]


def order(outlook: Outlook, line: GroupLine) -> tuple[bool, Decimal, str]:
    """The dearest first, all others last."""
    expected = outlook.parts[0].forecast.expected
    return line.is_other, -(expected or outlook.parts[0].spent), line.name


def group_heads(found: Prospect, now: datetime) -> tuple[str, str, str]:
    """The dimension, the first period and the one after it."""
    if not found.groups:
        return "", "", ""
    zone, parts = found.query.zone, found.whole.parts
    names = [span_name(part, zone, now) for part in parts]
    return labels.dimension(found.query.group_by[0]), names[0], names[1] if len(names) > 1 else ""


def tests(outlook: Outlook, today: date) -> list[TestLine]:
    return [
        TestLine(
            days=formats.day_range(each.first, date.fromordinal(each.end.toordinal() - 1), today),
            low=money(each.low),
            expected=money(each.expected),
            high=money(each.high),
            actual=money(each.actual),
            error=formats.MISSING if each.error is None else signed(each.error),
            is_covered=each.is_covered,
        )
        for each in outlook.tests
    ]


def tests_said(outlook: Outlook) -> str:
    if not outlook.tests:
        return NO_TESTS
    covered = sum(each.is_covered for each in outlook.tests)
    if len(outlook.tests) < FEW_TESTS:
        return (
            f"Four weeks each, forecast with what was known then: {covered} of "
            f"{len(outlook.tests)} ended within low and high. That is too few to judge them by."
        )
    return (
        f"Four weeks each, forecast with what was known then: {covered} of {len(outlook.tests)} "
        "ended within low and high, which is meant to hold four times in five. "
        f"They were off by {mean_error(outlook.tests)} on average."
    )


def mean_error(found: Sequence[BackTest]) -> str:
    errors = [abs(each.error) for each in found if each.error is not None]
    if not errors:
        return formats.MISSING
    return formats.share_short(sum(errors, Decimal(0)) / len(errors), Decimal(1))


def signed(error: Decimal) -> str:
    """How much too high (+) or too low a forecast was."""
    text = formats.share_short(abs(error), Decimal(1))
    return text if not error else f"{'+' if error > 0 else formats.MINUS}{text}"


def scores(outlook: Outlook) -> list[tuple[str, str, bool]]:
    """Each model, its error, and whether it was chosen."""
    return [
        (name[:1].upper() + name[1:], formats.share_short(Decimal(error), Decimal(1)), chosen)
        for name, error in outlook.scores
        for chosen in (name in outlook.chosen,)
    ]


def changes(
    found: Sequence[Change], today: date, *, may_see_prices: bool
) -> list[tuple[str, str, str]]:
    """From when, what it is, and what it makes of a day; of prices only for who may see those."""
    return [
        (when(each, today), each.text, effect(each))
        if may_see_prices or each.kind != PRICE
        else (when(each, today), UNTOLD, formats.MISSING)
        for each in found
    ]


def when(change: Change, today: date) -> str:
    if change.end is None:
        return f"from {formats.day(change.first, today)}"
    return formats.day_range(change.first, date.fromordinal(change.end.toordinal() - 1), today)


def effect(change: Change) -> str:
    parts = []
    if change.factor != 1:
        parts.append(f"× {change.factor:.4g}")
    if change.amount:
        sign = "+" if change.amount > 0 else formats.MINUS
        parts.append(f"{sign}{formats.money_short(abs(change.amount), settings.CURRENCY)} a day")
    return ", ".join(parts) or "nothing"


def money(amount: Decimal | None, missing: str = "") -> Cell:
    """For a column whose head names the currency."""
    if amount is None:
        return Cell(formats.MISSING, missing)
    return Cell(formats.money_long(amount, ""), formats.money_exact(amount, settings.CURRENCY))
