"""One user: cost over time beside peers, what it was for, what is unusual, and a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from finops import (
    access,
    budgets,
    charts,
    costs,
    formats,
    labels,
    power_users,
    requests,
    user_charts,
)
from finops.access import Reader
from finops.costs import UserPart
from finops.models import Budget
from finops.pages import states
from finops.pages.comparison import comparison
from finops.pages.kpis import Kpi, metric_kpi, unpriced_kpi
from finops.pages.links import address, only_filters
from finops.pages.requests import line
from finops.pages.shell import show
from finops.pages.tables import width
from finops.pages.unpriced import unpriced_href
from finops.pages.users.rows import chips
from finops.periods import bucket_starts, previous
from finops.power_users import UserPicture
from finops.query import CostQuery, written

METRICS = ("effective_cost", "requests", "cost_per_request", "input_tokens", "output_tokens")
PARTS = 8
LATEST = 10
# What a user's budgets are looked for among.
MOST_BUDGETS = 500


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    href: str
    cost: str
    share: str
    width: float


@require_GET
def user(request: HttpRequest) -> HttpResponse:
    return show(
        request,
        "user",
        request.GET,
        figures=partial(figures, reader=request.user),
        controls=controls,
    )


def controls(query: CostQuery, now: datetime) -> dict[str, Any]:
    name = next((each.values[0] for each in query.filters if each.dimension == "user"), "")
    everybody = only_filters(query.without_filter("user"))
    return {
        "section": "users",
        # Without the user there is no page to go on with.
        "way_on": address("user", only_filters(query)) if name else address("users", everybody),
        "heading": f"What does {name} cost?" if name else "What does a user cost?",
        "breadcrumb": [("Users", address("users", everybody)), (name, "")],
        "explore_href": address("explore", only_filters(query).replace(group_by=("feature",))),
        "requests_href": address("requests", only_filters(query)),
    }


def figures(query: CostQuery, seen: CostQuery, now: datetime, *, reader: Reader) -> dict[str, Any]:
    query = only_filters(query)
    name = power_users.named(query)
    with costs.snapshot():
        total = costs.run(
            query.replace(
                granularity="total", compare=True, metrics=(*METRICS, "unpriced_requests")
            )
        )
        empty = states.empty_state("user", query, query, total, now)
        if empty:
            return {"empty": empty}
        found = power_users.picture(query, now, settings.CURRENCY)
        drawn = chart(query, found, now)
        latest = requests.page(query, None, LATEST).rows
    compared = comparison(total, now)
    return {
        "freshness": states.freshness_line(total.freshness, query, now),
        "kpis": [
            metric_kpi(total, "effective_cost", compared),
            place_kpi(found),
            metric_kpi(total, "requests", compared),
            metric_kpi(total, "cost_per_request", compared),
            unpriced_kpi(total, unpriced_href(query)),
        ],
        "stored_as": found.name if found.name != name else "",
        "chips": chips(found.profile.labels),
        "note": found.note,
        "chart": drawn,
        "parts": [(labels.dimension(each), parts(query, found, each)) for each in found.parts],
        "lines": [line(each, query, total.currency, now) for each in latest],
        "sessions": len({each.session for each in latest if each.session}),
        "zone": query.zone.key,
        "currency": total.currency,
        "limit": found.own_limit and limit_words(found, total.currency),
        "budget_href": own_budget_href(query, found),
        "limits_href": address("user-limits", query.without_filter("user")),
        "budgets": budgets_of(found.name, reader),
    }


def place_kpi(found: UserPicture) -> Kpi:
    if found.user is None or found.user.cost is None:
        return Kpi("Place", formats.MISSING, note="no request has a known price")
    count = found.peers.users
    note = f"of {formats.count_long(count)} users"
    if found.share is not None:
        note += f", {formats.share_short(found.share, 1)} of their cost"
    return Kpi("Place", f"#{formats.count_long(found.user.place)}", note=note)


def chart(query: CostQuery, found: UserPicture, now: datetime) -> charts.Chart:
    """By charge period, beside the period before and what peers come to in one, on average."""
    drawn = query.replace(metrics=("effective_cost",))
    earlier = drawn.replace(period=previous(query.period, query.zone))
    made = charts.over_time(costs.run(drawn), now=now, before=costs.run(earlier))
    if not found.peers.users:
        return made
    # Of a period that goes on, over what there was time for.
    starts = bucket_starts(query.period, query.granularity, query.zone)
    steps = sum(start < now for start in starts) or 1
    median, high = (found.peers.cost_at(percent) / steps for percent in (50, 5))
    return user_charts.with_peers(made, median, high, settings.CURRENCY)


def parts(query: CostQuery, found: UserPicture, dimension: str) -> list[Part]:
    listed = found.parts[dimension][:PARTS]
    whole = sum((each.cost or Decimal(0) for each in found.parts[dimension]), Decimal(0))
    largest = max((each.cost or Decimal(0) for each in listed), default=Decimal(0))
    return [one_part(query, each, dimension, whole, largest) for each in listed]


def one_part(
    query: CostQuery, each: UserPart, dimension: str, whole: Decimal, largest: Decimal
) -> Part:
    only = query.without_filter(dimension).with_filter(dimension, each.name)
    return Part(
        each.name,
        address("requests", only),
        formats.money_short(each.cost, settings.CURRENCY),
        formats.share_short(each.cost, whole),
        width(each.cost, largest),
    )


def limit_words(found: UserPicture, currency: str) -> str:
    limit = found.own_limit
    assert limit is not None
    amount = formats.money_long(limit.amount, currency)
    if not limit.days:
        return f"A limit of {amount} a day would have touched none of the last 35 whole days."
    count = f"{limit.days} of the last 35 whole days"
    saved = formats.money_long(limit.saved, currency)
    return f"A limit of {amount} a day would have been reached on {count} and saved {saved}."


def own_budget_href(query: CostQuery, found: UserPicture) -> str:
    """A new daily budget of this user, with the limit as its amount."""
    amount = [("amount", f"{found.own_limit.amount:f}")] if found.own_limit else []
    filters = [(f.dimension, written(v, f.exclude)) for f in query.filters for v in f.values]
    given = [("name", found.name[:150]), ("period", "daily"), *amount, *filters]
    return f"{reverse('budget-new')}?{urlencode(given)}"


def budgets_of(name: str, reader: Reader) -> Sequence[Budget]:
    """The budgets of this user, and those for each user, which the reader may see."""
    if not access.allows("budgets", "GET", reader):
        return []
    seen = budgets.visible(reader).filter(removed_at=None).order_by("name")[:MOST_BUDGETS]
    return [
        each
        for each in seen
        if each.for_each == "user" or written(name, exclude=False) in each.filters.get("user", ())
    ]
