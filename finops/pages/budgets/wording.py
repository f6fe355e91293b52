"""What a budget is of, how it is reached and what it costs, in words and in cells."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings

from finops import formats, labels
from finops.models import Budget, Threshold
from finops.pages.tables import Cell
from finops.periods import local_day
from finops.query import Filter, parse_filters

BASES = {
    "actual": "Spent",
    "forecast": "Forecast",
    "burn_rate": "Spent within {hours} h",
    "unpriced": "Requests without a price",
}


def filters_of(budget: Budget) -> tuple[Filter, ...]:
    return parse_filters(budget.filters)


def scope(budget: Budget) -> str:
    """Team is cx, Model is not gpt-4o; for each user."""
    parts = [
        f"{labels.dimension(each.dimension)} is {'not ' if each.exclude else ''}"
        + " or ".join(each.values)
        for each in filters_of(budget)
    ]
    whole = ", ".join(parts) or "Everything"
    return f"{whole}; for each {each_of(budget)}" if budget.for_each else whole


def each_of(budget: Budget) -> str:
    return labels.dimensions((budget.for_each,))


def money(amount: Decimal | None, missing: str = "") -> Cell:
    """For a column whose head names the currency."""
    if amount is None:
        return Cell(formats.MISSING, missing)
    return Cell(formats.money_long(amount, ""), formats.money_exact(amount, settings.CURRENCY))


def threshold(basis: str, kind: str, value: Decimal, window_hours: int | None) -> str:
    """Spent reaches 80 % of the amount; Spent within 24 h reaches 300 % of the pace."""
    what = BASES[basis].format(hours=window_hours)
    if kind != "percent":
        return f"{what} reaches {formats.money_long(value, settings.CURRENCY)}"
    of = "the pace" if basis == "burn_rate" else "the amount"
    return f"{what} reaches {plain(value)}{formats.SPACE}% of {of}"


def plain(number: Decimal | None) -> str:
    """As people write it: 80, not 80.000000; "" for nothing."""
    if number is None:
        return ""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def level_name(each: Threshold) -> str:
    """As it stands at a line of the chart: 80 %, forecast 100 %, $400."""
    text = plain(each.value)
    text = f"{text}{formats.SPACE}%" if each.kind == "percent" else "limit"
    return f"forecast {text}" if each.basis == "forecast" else text


def facts(budget: Budget, now: datetime) -> list[tuple[str, str]]:
    """The terms of a budget, name by name."""
    found = [
        ("Which costs", scope(budget)),
        ("Cost", budget.get_cost_display()),
        ("Period", period(budget)),
        ("Amount", amount(budget)),
        ("Unpriced requests", unpriced(budget)),
        ("Before a call", enforced(budget)),
        ("Owner", budget.owner.get_username() if budget.owner else "nobody"),
        ("Seen by", f"the team {budget.team}" if budget.team else "administrators and finance"),
        ("Made", f"by {budget.created_by}, {moment(budget.created_at, now)}"),
        ("Changed", f"by {budget.changed_by}, {moment(budget.changed_at, now)}"),
        ("Note", budget.note),
    ]
    return [(name, said) for name, said in found if said]


def period(budget: Budget) -> str:
    if budget.period == Budget.Span.ROLLING:
        return f"the last {budget.rolling_days} days, each day anew"
    return budget.get_period_display()


def amount(budget: Budget) -> str:
    """$5,000.00; by a plan or by the last period, with what holds where those say nothing."""
    fixed = (
        formats.money_long(budget.amount, settings.CURRENCY) if budget.amount is not None else ""
    )
    if budget.amount_kind == Budget.AmountKind.FIXED:
        return fixed
    rest = f"; {fixed} where that says nothing" if fixed else ""
    if budget.amount_kind == Budget.AmountKind.PLAN:
        plan = (
            f"{each.month:%b %Y} {formats.money_long(each.amount, settings.CURRENCY)}"
            for each in budget.plan.all()
        )
        return f"{', '.join(plan)}{rest}"
    change = budget.change_percent or Decimal(0)
    sign = "+" if change >= 0 else formats.MINUS
    return f"the last period {sign}{plain(abs(change))}{formats.SPACE}%{rest}"


def enforced(budget: Budget) -> str:
    """What gateways are told that ask; "" where it only tells people."""
    if budget.enforcement == Budget.Enforcement.NONE:
        return ""
    percent = f"{plain(budget.throttle_percent) or '100'}{formats.SPACE}%"
    said = budget.get_enforcement_display()
    if budget.enforcement == Budget.Enforcement.THROTTLE:
        said += f", from {percent} of the amount on"
    elif budget.throttle_percent is not None:
        said += f" that do not fit; throttle them from {percent} of the amount on"
    return f"{said}; refuses while figures are stale" if budget.fail_closed else said


def unpriced(budget: Budget) -> str:
    said = budget.get_unpriced_display()
    if budget.unpriced_rate is None:
        return said
    rate = formats.money_exact(budget.unpriced_rate, settings.CURRENCY)
    return f"{said} of {rate} per million tokens"


def moment(at: datetime, now: datetime) -> str:
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(now, zone))
