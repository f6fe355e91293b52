"""The filter bar: period, chips and the forms that change a query. All state is in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from finops import costs, formats, labels
from finops.compared_periods import AGAINST_PARAMETERS
from finops.models import ActivatedTag
from finops.pages.links import address, parsed
from finops.periods import InvalidQuery, Period, days, local_day, named_period
from finops.query import DIMENSIONS, TAG_PREFIX, CostQuery, grain_for, written
from finops.rollups import ZoneChanged

PAGES = (
    "overview",
    "explore",
    "requests",
    "explain",
    "forecast",
    "users",
    "user",
    "user-limits",
    "unattributed",
)
# What a page is about: it has no chip, as the page is none without it.
SUBJECTS = {"user": "user"}
FORM_FIELDS = ("first", "last", "dimension", "sense", "value")
# The days that a period is set against.
OTHER_FIELDS = ("against_first", "against_last")
VALUES_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select."""

    label: str
    value: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter value in words, and the address without it."""

    dimension: str
    sense: str
    value: str
    href: str


@dataclass(frozen=True, slots=True)
class FilterBar:
    """`first` and `last` are the days of a period made of whole days; `params` are the query's."""

    page: str
    periods: tuple[Link, ...]
    period_text: str
    is_open: bool
    first: str
    last: str
    chips: tuple[Chip, ...]
    cleared: str
    dimensions: tuple[Choice, ...]
    params: tuple[tuple[str, str], ...]


def filter_bar(page: str, query: CostQuery, now: datetime, carried: Mapping[str, str]) -> FilterBar:
    """`carried` is what the page's address says besides the query; another period drops it."""
    zone, period = query.zone, query.period
    first, last = local_day(period.start, zone), last_day(query)
    return FilterBar(
        page=page,
        periods=tuple(
            Link(
                labels.PERIODS[label],
                address(page, with_period(query, period_of(label, query, now))),
                label == period.label,
            )
            for label in labels.PERIODS
        ),
        period_text=period_text(query, now),
        is_open=period.end > now,
        first=first.isoformat(),
        last=last.isoformat(),
        chips=tuple(chips(page, query, carried)),
        cleared=address(page, cleared(page, query), **carried),
        dimensions=tuple(Choice(labels.dimension(d), d) for d in dimensions()),
        params=(*query.to_params(), *carried.items()),
    )


def period_of(label: str, query: CostQuery, now: datetime) -> Period:
    return named_period(label, now=now, zone=query.zone, fiscal_month=query.fiscal_month)


def with_period(query: CostQuery, period: Period) -> CostQuery:
    """Steps that suited the old period may be too many for the new one, so they start afresh."""
    granularity = "total" if query.granularity == "total" else grain_for(period)
    return query.replace(period=period, granularity=granularity)


def last_day(query: CostQuery) -> date:
    return local_day(query.period.end - timedelta(microseconds=1), query.zone)


def period_text(query: CostQuery, now: datetime) -> str:
    """1–21 Nov; with the hours where the period is not made of days."""
    zone, period, today = query.zone, query.period, local_day(now, query.zone)
    starts_a_day = days(local_day(period.start, zone), last_day(query), zone).start == period.start
    is_hours = period.label.removesuffix("h").isdigit()
    if starts_a_day and not is_hours:
        return formats.day_range(local_day(period.start, zone), last_day(query), today)
    start = formats.moment(period.start, zone, today)
    return f"{start} – {formats.moment(period.end, zone, today)}"


def dimensions() -> list[str]:
    tags = ActivatedTag.objects.order_by("key").values_list("key", flat=True)
    return [*DIMENSIONS, *(TAG_PREFIX + key for key in tags)]


def chips(page: str, query: CostQuery, carried: Mapping[str, str]) -> list[Chip]:
    return [
        Chip(
            labels.dimension(each.dimension),
            "is not" if each.exclude else "is",
            value,
            address(page, query.without_filter(each.dimension, value), **carried),
        )
        for each in query.filters
        for value in each.values
        if each.dimension != SUBJECTS.get(page)
    ]


def cleared(page: str, query: CostQuery) -> CostQuery:
    """Without its filters, but for what the page is about."""
    kept = (each for each in query.filters if each.dimension == SUBJECTS.get(page))
    return query.replace(filters=tuple(kept))


@require_GET
def change(request: HttpRequest) -> HttpResponse:
    """Turns a form of the filter bar into the canonical address of the page it belongs to."""
    page = request.GET.get("page", "")
    page = page if page in PAGES else "explore"
    params = changed(request.GET)
    asked = params.copy()
    carried = {}
    if page == "explain":
        carried = {name: asked.pop(name)[-1] for name in AGAINST_PARAMETERS if name in asked}
    try:
        return redirect(address(page, parsed(asked, request.user, timezone.now()), **carried))
    except InvalidQuery:
        # The page itself says what is wrong with its address.
        return redirect(f"{reverse(page)}?{params.urlencode()}")


def changed(given: QueryDict) -> QueryDict:
    """The parameters with the form's new period or filter in them."""
    params = given.copy()
    first, last, dimension, sense, value = (given.get(name, "").strip() for name in FORM_FIELDS)
    other_first, other_last = (given.get(name, "").strip() for name in OTHER_FIELDS)
    for name in (*FORM_FIELDS, *OTHER_FIELDS, "page"):
        params.pop(name, None)
    if first or last:
        for name in ("period", "granularity", *AGAINST_PARAMETERS):
            params.pop(name, None)
        params["start"], params["end"] = first, day_after(last)
    if other_first or other_last:
        for name in AGAINST_PARAMETERS:
            params.pop(name, None)
        params["against_start"], params["against_end"] = other_first, day_after(other_last)
    if dimension:
        params.appendlist(dimension, written(value, exclude=sense == "not"))
    return params


def day_after(text: str) -> str:
    """People name the last day they mean, queries the first instant they do not."""
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


@require_GET
def values(request: HttpRequest) -> HttpResponse:
    """The values that a dimension has in the query's period, as options to choose from."""
    params = request.GET.copy()
    dimension = params.get("dimension", "")
    if dimension not in dimensions():
        return HttpResponse(status=204)
    # Its own filter goes before the query is narrowed, so that what narrows it stays.
    for name in (*FORM_FIELDS, *AGAINST_PARAMETERS, "page", dimension):
        params.pop(name, None)
    try:
        result = costs.run(
            parsed(params, request.user, timezone.now()).replace(
                granularity="total",
                group_by=(dimension,),
                metrics=("effective_cost",),
                limit=VALUES_OFFERED,
                compare=False,
            )
        )
    except (InvalidQuery, costs.QueryTooSlow, ZoneChanged):
        # The field works without suggestions; the page itself says what is wrong.
        return HttpResponse(status=204)
    names = [row.keys[0] for row in result.rows if not row.is_other]
    return render(request, "_values.html", {"names": names})
