"""Users: how concentrated the cost is, who makes most of it, and who is worth a look."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from finops import costs, formats, power_users, user_charts
from finops.costs import CostResult
from finops.pages import states
from finops.pages.comparison import Comparison, comparison
from finops.pages.kpis import Kpi, unpriced_kpi
from finops.pages.links import address, breadcrumb, only_filters
from finops.pages.shell import show
from finops.pages.tables import Change, change
from finops.pages.unpriced import unpriced_href
from finops.pages.users.rows import chips, user_href, user_rows
from finops.periods import InvalidQuery, previous
from finops.power_users import Concentration, Line, Listing
from finops.query import DEFAULT_METRICS, MAX_VALUE_LENGTH, CostQuery, is_text
from finops.user_charts import Step

HEADING = "Who makes the cost?"
MOST_NOTICED = 8
# Of those whose only news is that they cost much, which the table below says of all.
MOST_HEAVY = 3
LAST_PLACE = 10**9


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    params = request.GET.copy()
    search = params.pop("q", [""])[-1].strip()
    after = params.pop("after", [""])[-1].strip()
    position = {name: text for name, text in (("q", search), ("after", after)) if text}
    return show(
        request,
        "users",
        params,
        figures=partial(figures, search=search, after=after),
        controls=partial(controls, search=search),
        position=position,
    )


def controls(query: CostQuery, now: datetime, *, search: str) -> dict[str, Any]:
    return {
        "heading": HEADING,
        "breadcrumb": breadcrumb(query),
        "search": search,
        "kept": only_filters(query).to_params(),
    }


def read_position(search: str, after: str) -> tuple[str, int]:
    """Raises InvalidQuery, which names what is wrong."""
    if not is_text(search) or len(search) > MAX_VALUE_LENGTH:
        raise InvalidQuery("q", f"must be text of at most {MAX_VALUE_LENGTH} characters")
    if not after:
        return search, 0
    if not (after.isascii() and after.isdigit() and int(after[:12]) <= LAST_PLACE):
        raise InvalidQuery("after", "must be the place that a page of users ended with")
    return search, int(after[:12])


def figures(
    query: CostQuery, seen: CostQuery, now: datetime, *, search: str, after: str
) -> dict[str, Any]:
    text, place = read_position(search, after)
    query = only_filters(query).replace(metrics=DEFAULT_METRICS)
    with costs.snapshot():
        total = costs.run(
            query.replace(
                granularity="total", compare=True, metrics=(*DEFAULT_METRICS, "unpriced_requests")
            )
        )
        empty = states.empty_state("users", query, only_filters(seen), total, now)
        if empty:
            return {"empty": empty}
        compared = comparison(total, now)
        listed = power_users.listing(
            query.replace(compare=compared.is_fair),
            *(now, settings.CURRENCY),
            after=place,
            search=text,
        )
        before = concentration_before(query) if compared.is_fair else None
    return {
        "freshness": states.freshness_line(total.freshness, query, now),
        "kpis": kpis(query, total, listed, before, compared),
        "chart": None if place or text else chart(listed.concentration),
        "rows": user_rows(
            query, listed.lines, power_users.window_of(query, now), settings.CURRENCY, compared
        ),
        "noticed": [noticed(query, each) for each in worth_a_look(listed)],
        "note": listed.note,
        "nobody": [
            (each.name, formats.money_long(each.cost, ""), formats.count_long(each.requests))
            for each in listed.ranking.nobody
        ],
        "compared": compared,
        "currency": settings.CURRENCY,
        "search_found": len(listed.lines),
        **links(query, listed, text, place),
    }


def links(query: CostQuery, listed: Listing, search: str, after: int) -> dict[str, str]:
    more = {"q": search} if search else {}
    return {
        "first_href": address("users", query, **more) if after else "",
        "next_href": address("users", query, after=str(listed.next_after), **more)
        if listed.next_after
        else "",
        "clear_href": address("users", query),
        "csv_href": address("users-csv", query),
        "limits_href": address("user-limits", query),
        "explore_href": f"{reverse('explore')}?"
        + address("explore", query.replace(group_by=("user",))).partition("?")[2],
    }


def concentration_before(query: CostQuery) -> Concentration:
    earlier = query.replace(period=previous(query.period, query.zone))
    return power_users.concentration(costs.rank_users(earlier).hundredths)


def kpis(
    query: CostQuery,
    total: CostResult,
    listed: Listing,
    before: Concentration | None,
    compared: Comparison,
) -> list[Kpi]:
    now = listed.concentration
    unowned = sum((each.cost or Decimal(0) for each in listed.ranking.nobody), Decimal(0))
    whole = Decimal(total.totals["effective_cost"] or 0)
    unknown = listed.ranking.unknown
    return [
        Kpi(
            "Cost of users",
            formats.money_short(now.cost, total.currency),
            formats.money_exact(now.cost, total.currency),
            change(
                "effective_cost",
                now.cost,
                before.cost if before else None,
                total.currency,
                compared,
            ),
            f"{formats.share_short(unowned, whole)} of all cost names no user" if unowned else "",
        ),
        Kpi(
            "Users",
            formats.count_short(now.users + unknown),
            change=change("users", now.users, before.users if before else None, "", compared),
            note=f"{formats.count_long(unknown)} with no known cost" if unknown else "",
            tone="warn" if unknown else "",
        ),
        *(top_kpi(now, before, number, compared) for number in (2, 0)),
        gini_kpi(now, before, compared),
        unpriced_kpi(total, unpriced_href(query)),
    ]


def top_kpi(
    now: Concentration, before: Concentration | None, number: int, compared: Comparison
) -> Kpi:
    """What the first so many percent of users make."""
    percent = power_users.TOPS[number]
    label = f"Top {percent}{formats.SPACE}% of users"
    if not now.tops:
        return Kpi(label, formats.MISSING, note="no user has a known cost")
    top = now.tops[number]
    was = before.tops[number].share if before and before.tops else None
    count = f"{formats.count_long(top.users)} user{'s' if top.users > 1 else ''}"
    return Kpi(
        label,
        formats.MISSING if top.share is None else formats.share_short(top.share, 1),
        f"{count}: {formats.money_long(top.cost, settings.CURRENCY)} of "
        f"{formats.money_long(now.cost, settings.CURRENCY)}",
        points(top.share, was, compared),
        f"of the cost, {count}",
    )


def points(now: Decimal | None, was: Decimal | None, compared: Comparison) -> Change | None:
    """The difference of two shares, in percentage points; more is neither worse nor better."""
    if not compared.is_fair or now is None or was is None:
        return None
    difference = (now - was) * 100
    sign = "+" if difference > 0 else formats.MINUS if difference < 0 else "±"
    return Change(
        f"{sign}{abs(difference):.1f} points",
        f"{formats.share_long(was, 1)} in {compared.name}",
        "",
        compared.name,
    )


def gini_kpi(now: Concentration, before: Concentration | None, compared: Comparison) -> Kpi:
    was = before.gini if before else None
    changed = None
    if compared.is_fair and now.gini is not None and was is not None:
        difference = now.gini - was
        sign = "+" if difference > 0 else formats.MINUS if difference < 0 else "±"
        changed = Change(
            f"{sign}{abs(difference):.2f}", f"{was:.4f} in {compared.name}", "", compared.name
        )
    return Kpi(
        "Gini coefficient",
        formats.MISSING if now.gini is None else f"{now.gini:.2f}",
        "" if now.gini is None else f"{now.gini:.4f}",
        changed,
        now.reason or "0: all cost the same, 1: one costs everything",
    )


def chart(now: Concentration) -> Any:
    steps = [Step(each.users, each.cost) for each in now.points]
    title = "Which part of the cost which part of users makes"
    if now.tops and now.tops[-1].share is not None:
        top = now.tops[-1]
        title = (
            f"The top {top.percent}{formats.SPACE}% of users make "
            f"{formats.share_short(top.share, 1)} of the cost"
        )
    return user_charts.pareto(steps, title, settings.CURRENCY, power_users.TOPS)


def worth_a_look(listed: Listing) -> list[Line]:
    others = [each for each in listed.noticed if not each.is_only_heavy]
    heavy = [each for each in listed.noticed if each.is_only_heavy]
    return [*others, *heavy[:MOST_HEAVY]][:MOST_NOTICED]


def noticed(query: CostQuery, line: Line) -> dict[str, Any]:
    assert line.profile is not None
    return {
        "name": line.user.name,
        "href": user_href(query, line.user.name),
        "cost": formats.money_short(line.user.cost, settings.CURRENCY),
        "chips": chips(line.profile.labels),
    }
