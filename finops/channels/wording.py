"""The facts of an alert in words and bars, for every channel alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from finops import formats
from finops.channels.messages import Told

BLOCKS = "▁▂▃▄▅▆▇█"
# Shown by themselves, or not for people.
APART = {
    *("series", "url", "currency", "value", "dimension", "threshold", "period_start"),
    *("period_end", "groups", "total", "previous", "unpriced_requests", "as_of", "amount"),
    *("actual", "forecast", "requests", "note", "until", "amount_before", "enforcement"),
}
# Of other facts, those that are amounts.
MONEY = frozenset(
    {"added", "approved", "closed_at_actual", "estimated", "increase", "requested", "window_spent"}
)
BASES = {
    "actual": "on what is spent",
    "forecast": "on the forecast",
    "burn_rate": "on the pace of spending",
}
MOST_BARS = 92


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """`share` is of the tallest, from 0 to 1. A `step` of an hour is called by its beginning."""

    day: str
    amount: str
    share: float
    step: str = "day"


@dataclass(frozen=True, slots=True)
class Group:
    """The largest of one dimension, in a summary."""

    title: str
    rows: list[tuple[str, str, str]]  # name, cost, change


def lines(told: Told, zone: ZoneInfo, now: datetime) -> list[Line]:
    """What is known, in the order in which it is asked for."""
    facts, currency = told.facts, str(told.facts.get("currency") or "USD")
    today = now.astimezone(zone).date()
    found = [
        Line("Note", str(facts.get("note") or "")),
        Line("Budget", scope(facts)),
        Line("Amount", changed(facts, currency)),
        Line("Until", until(facts, zone, today)),
        Line("Period", period(facts, zone, today)),
        Line("Spent", spent(facts, currency)),
        Line("Calls", enforcement(facts, currency, zone, today)),
        Line("Forecast", money(facts.get("forecast"), currency)),
        Line("Threshold", threshold(facts, currency)),
        Line("Total", money(facts.get("total"), currency)),
        Line("Last period", compared(facts, currency)),
        Line("Requests", count(facts.get("requests"))),
        Line("Unpriced requests", count(facts.get("unpriced_requests"))),
        *(
            Line(label_of(name), other(name, value, currency, zone, now))
            for name, value in others(facts)
        ),
        Line("Team", told.team),
        Line("Figures up to", moment(facts.get("as_of"), zone, today)),
    ]
    return [line for line in found if line.text]


def scope(facts: dict[str, Any]) -> str:
    """Support; user u-1842 of Support."""
    name, value = str(facts.get("budget") or ""), str(facts.get("value") or "")
    if not value:
        return name
    dimension = str(facts.get("dimension") or "").removeprefix("tag:").replace("_", " ")
    return f"{name}, {dimension} {value}".replace(",  ", ", ")


def changed(facts: dict[str, Any], currency: str) -> str:
    """Of a step that changes the amount: $7.00, before it was $5.00."""
    amount, before = (money(facts.get(name), currency) for name in ("amount", "amount_before"))
    return f"{amount}, before it was {before}" if amount and before else ""


def until(facts: dict[str, Any], zone: ZoneInfo, today: date) -> str:
    """Of an increase the last day, as wherever it is shown; of anything else the moment."""
    end = instant(facts.get("until"))
    if end is None or end.tzinfo is None:
        return ""
    is_increase = "increase" in facts
    return formats.last_day(end, zone, today) if is_increase else formats.moment(end, zone, today)


def period(facts: dict[str, Any], zone: ZoneInfo, today: date) -> str:
    first, end = (day_of(facts.get(name), zone) for name in ("period_start", "period_end"))
    if first is None or end is None:
        return ""
    return formats.day_range(first, max(end - timedelta(days=1), first), today)


def spent(facts: dict[str, Any], currency: str) -> str:
    actual, amount = decimal(facts.get("actual")), decimal(facts.get("amount"))
    if actual is None:
        return formats.money_long(amount, currency) if amount is not None else ""
    text = formats.money_long(actual, currency)
    if not amount:
        return text
    share = formats.share_reached(actual, amount)  # as the title of the alert says it
    return f"{text} of {formats.money_long(amount, currency)} ({share}{formats.SPACE}%)"


def compared(facts: dict[str, Any], currency: str) -> str:
    before = decimal(facts.get("previous"))
    now = decimal(facts.get("total"))
    if before is None or (not before and now is None):  # nothing was recorded, or nothing spent
        return ""
    text = formats.money_long(before, currency)
    change = formats.change_short(now, before)
    since = "" if now == before else " since then"
    return text if now is None else f"{text} ({change}{since})"


def threshold(facts: dict[str, Any], currency: str) -> str:
    held = facts.get("threshold")
    if not isinstance(held, dict):
        return ""
    value, basis = decimal(held.get("value")), BASES.get(str(held.get("basis")), "")
    if value is None:
        return ""
    hours = held.get("window_hours")
    within = f" within {hours} h" if hours else ""
    if held.get("kind") == "money":
        return f"{formats.money_long(value, currency)}{within}, {basis}"
    of = "an even pace" if held.get("basis") == "burn_rate" else "the amount"
    return f"{value.normalize():f}{formats.SPACE}% of {of}{within}, {basis}"


def enforcement(facts: dict[str, Any], currency: str, zone: ZoneInfo, today: date) -> str:
    """What calls meet that gateways ask about: being refused until 1 Dec, 00:00 UTC."""
    held = facts.get("enforcement")
    if not isinstance(held, dict):
        return ""
    until = moment(held.get("until"), zone, today) or "older usage is out of its days"
    slows, refuses = (money(held.get(name), currency) for name in ("slows_from", "refuses_from"))
    if held.get("acting") == "refusing":
        return f"being refused until {until}"
    if held.get("acting") == "slowing":
        later = f", refused from {refuses} on" if refuses else ""
        return f"being slowed until {until}{later}"
    starts = {"slowed": slows, "refused": refuses}
    return ", ".join(f"{what} from {start} on" for what, start in starts.items() if start)


def others(facts: dict[str, Any]) -> list[tuple[str, object]]:
    """What a kind of alert says besides, as it is written there."""
    return [
        (name, value)
        for name, value in facts.items()
        if name not in APART and name != "budget" and isinstance(value, str | int) and value != ""
    ]


def other(name: str, value: object, currency: str, zone: ZoneInfo, now: datetime) -> str:
    """Money, times and instants as people read them; anything else as it is written."""
    amount = decimal(value) if name in MONEY else None
    if amount is not None:
        return formats.money_long(amount, currency) if amount else ""
    seconds = decimal(value) if name.endswith("_seconds") else None
    if seconds is not None:
        return formats.span_of(float(seconds))
    if isinstance(value, int) and not isinstance(value, bool):
        return formats.count_long(value)
    found = instant(value)
    if found and found.tzinfo:
        return formats.moment(found, zone, now.astimezone(zone).date())
    return str(value)


def label_of(name: str) -> str:
    return name.removesuffix("_seconds").replace("_", " ").capitalize()


def bars(facts: dict[str, Any]) -> list[Bar]:
    """The days of its series, or hours that bring their names; none where nothing is to draw."""
    currency = str(facts.get("currency") or "USD")
    held = facts.get("series")
    points = [
        (day, amount)
        for each in (held if isinstance(held, list) else [])[-MOST_BARS:]
        if isinstance(each, dict)
        and (day := each.get("hour") or day_of(each.get("day"), None)) is not None
        and (amount := decimal(each.get("actual"))) is not None
    ]
    tallest = max((amount for _, amount in points), default=Decimal(0))
    if tallest <= 0:
        return []
    return [
        Bar(
            formats.day(day, points[-1][0]) if isinstance(day, date) else str(day),
            formats.money_long(amount, currency),
            float(max(amount, Decimal(0)) / tallest),
            "day" if isinstance(day, date) else "hour",
        )
        for day, amount in points
    ]


def caption(drawn: Sequence[Bar]) -> str:
    """Cost by day, 1 Nov – 21 Nov; the highest is $12.00."""
    if not drawn:
        return ""
    if len(drawn) == 1:
        return f"Cost of {drawn[0].day}: {drawn[0].amount}"
    tallest = max(drawn, key=lambda bar: bar.share).amount
    step = drawn[0].step
    return f"Cost by {step}, {drawn[0].day} – {drawn[-1].day}; the highest is {tallest}"


def sparkline(facts: dict[str, Any]) -> str:
    """The bars as one line of text."""
    return "".join(
        BLOCKS[min(int(bar.share * len(BLOCKS)), len(BLOCKS) - 1)] for bar in bars(facts)
    )


def groups(facts: dict[str, Any]) -> list[Group]:
    """Of a summary: `groups` is [{"dimension", "rows": [{"name", "cost", "previous"}]}]."""
    currency = str(facts.get("currency") or "USD")
    held = facts.get("groups")
    found = []
    for each in held if isinstance(held, list) else []:
        rows = [
            (
                str(row["name"]),
                money(row["cost"], currency) or "unpriced",
                formats.change_short(decimal(row["cost"]), decimal(row["previous"])),
            )
            for row in each["rows"]
        ]
        found.append(Group(f"By {str(each['dimension']).replace('_', ' ')}", rows))
    return found


def money(value: object, currency: str) -> str:
    amount = decimal(value)
    return "" if amount is None else formats.money_long(amount, currency)


def count(value: object) -> str:
    return formats.count_long(value) if isinstance(value, int) and value else ""


def decimal(value: object) -> Decimal | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def instant(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def day_of(value: object, zone: ZoneInfo | None) -> date | None:
    """Of a date, or of an instant in the zone."""
    found = instant(value)
    if found is None:
        return None
    return found.astimezone(zone).date() if found.tzinfo and zone else found.date()


def moment(value: object, zone: ZoneInfo, today: date) -> str:
    found = instant(value)
    if found is None:
        return ""
    return formats.moment(found if found.tzinfo else found.replace(tzinfo=UTC), zone, today)
