"""Users as rows of tables: figures, labels, and the days as a small line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from finops import formats
from finops.costs import RankedUser, UserDay
from finops.pages.comparison import Comparison
from finops.pages.links import address
from finops.pages.tables import Change, change, unpriced, width
from finops.periods import local_day
from finops.power_users import Label, Line
from finops.power_users.profiles import Window
from finops.query import CostQuery

TONES = {
    "runaway_loop": "crit",
    "bot_like": "warn",
    "growing": "warn",
    "bursty": "warn",
    "heavy": "",
}
HEIGHT, WIDTH = 20, 100


@dataclass(frozen=True, slots=True)
class Chip:
    name: str
    tone: str
    evidence: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """`trend` are the points of a line over the window's days, "" where no days were read."""

    place: str
    name: str
    href: str
    chips: tuple[Chip, ...]
    cost: str
    cost_title: str
    change: Change | None
    share: str
    width: float
    cumulated: str
    requests: str
    cost_per_request: str
    trend: str
    unpriced: str


def chips(labels: Sequence[Label]) -> tuple[Chip, ...]:
    return tuple(Chip(each.name, TONES[each.kind], each.evidence) for each in labels)


def user_href(query: CostQuery, name: str) -> str:
    return address("user", query.without_filter("user").with_filter("user", name))


def user_rows(
    query: CostQuery,
    lines: Sequence[Line],
    window: Window,
    currency: str,
    compared: Comparison,
) -> list[UserRow]:
    costs = [each.user.cost for each in lines]
    known = [cost for cost in costs if cost is not None]
    texts, _ = formats.money_column(costs, sum(known, Decimal(0)))
    largest = max((abs(cost) for cost in known), default=Decimal(0))
    return [
        user_row(query, each, text, largest, window, currency, compared)
        for each, text in zip(lines, texts, strict=True)
    ]


def user_row(
    query: CostQuery,
    line: Line,
    cost: str,
    largest: Decimal,
    window: Window,
    currency: str,
    compared: Comparison,
) -> UserRow:
    user = line.user
    return UserRow(
        place=formats.count_long(user.place),
        name=user.name,
        href=user_href(query, user.name),
        chips=chips(line.profile.labels) if line.profile else (),
        cost=cost,
        cost_title=cost_title(user, currency),
        change=change("effective_cost", user.cost, line.before, currency, compared),
        share=part(line.share),
        width=width(user.cost, largest),
        cumulated=part(line.cumulated),
        requests=formats.count_long(user.requests),
        cost_per_request=formats.money_long(per_request(user), ""),
        trend=trend(line.profile.days, window) if line.profile else "",
        unpriced=unpriced(user.unpriced_requests),
    )


def cost_title(user: RankedUser, currency: str) -> str:
    if user.cost is None:
        return "No price is known for these requests"
    return formats.money_exact(user.cost, currency)


def per_request(user: RankedUser) -> Decimal | None:
    priced = user.requests - user.unpriced_requests
    return user.cost / priced if user.cost is not None and priced > 0 else None


def part(share: Decimal | None) -> str:
    return formats.share_short(share, 1) if share is not None else formats.MISSING


def trend(days: Sequence[UserDay], window: Window) -> str:
    """x,y pairs of the cost of each day that is over, the highest at the top."""
    first = local_day(window.period.start, window.zone)
    count = (window.whole - first).days + 1
    costs = {each.day: each.cost for each in days}
    values = [costs.get(first + timedelta(days=n), Decimal(0)) for n in range(count)]
    top = max(values, default=Decimal(0))
    if top <= 0 or count < 2:
        return ""
    steps = Decimal(WIDTH) / (count - 1)
    points = (
        f"{n * steps:.1f},{HEIGHT - 1 - max(value, Decimal(0)) / top * (HEIGHT - 2):.1f}"
        for n, value in enumerate(values)
    )
    return " ".join(points)
