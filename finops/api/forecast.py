"""GET /api/v1/forecast: what this month and the next three will come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import access, budgets, prospects
from finops.access import Ability
from finops.api.budgets import find
from finops.api.costs import query_json, read_query
from finops.api.forecast_schema import FORECAST_SCHEMA, NO_PARAMETERS
from finops.api.tables import csv_response
from finops.api.values import csv_value, instant, json_value
from finops.cells import text_cell
from finops.forecasts import BackTest, Change, DayAhead, Forecast, Outlook, Part
from finops.forecasts.changes import PRICE, UNTOLD
from finops.models import Budget
from finops.periods import InvalidQuery, local_day
from finops.prospects import Group, Prospect
from finops.query import CostQuery

LARGEST = 2**31 - 1
BOUNDS = ("low", "expected", "high")
CSV_COLUMNS = ("kind", "of", "start", "end", "spent", *BOUNDS)


class ForecastView(APIView):
    http_method_names = ("get", "head")

    @extend_schema(**FORECAST_SCHEMA)
    def get(self, request: Request) -> Response:
        may_see_prices = access.standing(request.user).may(Ability.SEE_PRICES)
        return Response(as_json(*made(request), may_see_prices=may_see_prices))


class ForecastCsvView(APIView):
    """The page's figures: periods of the whole and of groups, then the days; of sessions of the
    browser."""

    schema = None
    http_method_names = ("get", "head")

    def get(self, request: Request) -> StreamingHttpResponse:
        found, _ = made(request)
        name = f"forecast-{local_day(found.as_of, found.query.zone)}.csv"
        return csv_response(name, CSV_COLUMNS, csv_rows(found))


def made(request: Request) -> tuple[Prospect, Budget | None]:
    for name in NO_PARAMETERS:
        if name in request.query_params:
            raise InvalidQuery(name, "is no parameter of a forecast, which is of this month on")
    now = timezone.now()
    budget = budget_of(request)
    query = query_of(budget, request) if budget else read_query(request)
    span = budgets.forecast_span(budget, now, query.zone) if budget else None
    return prospects.prospect(query, now, span), budget


def csv_rows(found: Prospect) -> Iterator[list[str]]:
    """`of` is "" for everything that was asked about, or a group's name."""
    for name, outlook in (("", found.whole), *((each.name, each.outlook) for each in found.groups)):
        for part in outlook.parts:
            ends = (part.first.isoformat(), part.end.isoformat())
            cells = (part.spent, *(getattr(part.forecast, bound) for bound in BOUNDS))
            yield ["period", text_cell(name), *ends, *map(csv_value, cells)]
    for each in found.whole.days:
        ends = (each.day.isoformat(), (each.day + timedelta(days=1)).isoformat())
        yield ["day", "", *ends, "", *(csv_value(getattr(each, bound)) for bound in BOUNDS)]


def budget_of(request: Request) -> Budget | None:
    given = request.query_params.getlist("budget")
    if not given:
        return None
    text = given[-1]
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0
    if len(given) > 1 or not 1 <= number <= LARGEST:
        raise InvalidQuery("budget", "must be the number of one budget")
    return find(request, number)


def query_of(budget: Budget, request: Request) -> CostQuery:
    """What the budget counts. Raises InvalidQuery where more than a grouping is asked for."""
    for name in request.query_params:
        if name not in {"budget", "group_by"}:
            raise InvalidQuery(name, "is not asked for beside a budget, whose filters hold")
    params = budgets.forecast_params(budget, request.query_params.getlist("group_by"))
    query = CostQuery.from_params(params, now=timezone.now(), zone=settings.REPORTING_ZONE)
    return access.narrow(query, request.user)


def as_json(found: Prospect, budget: Budget | None, *, may_see_prices: bool) -> dict[str, Any]:
    asked = query_json(found.query)
    return {
        "query": {
            "metric": found.query.metrics[0],
            "group_by": asked["group_by"],
            "filters": asked["filters"],
            "time_zone": asked["time_zone"],
            "budget": budget.pk if budget else None,
        },
        "as_of": instant(found.as_of),
        "currency": found.currency,
        **outlook_json(found.whole),
        "days": [day_json(each) for each in found.whole.days],
        "back_tests": [test_json(each) for each in found.whole.tests],
        "models": [
            {"name": name, "error": round(error, 6), "is_used": name in found.whole.chosen}
            for name, error in found.whole.scores
        ],
        "changes": [change_json(each, may_see_prices) for each in found.changes],
        "groups": [group_json(each) for each in found.groups],
        "freshness": {
            "rolled_up_to": instant(found.freshness.rolled_up_to),
            "pending_events": found.freshness.pending_events,
            "recorded_since": instant(found.freshness.recorded_since),
        },
        "coverage": {
            "priced_requests": found.coverage.priced_requests,
            "unpriced_requests": found.coverage.unpriced_requests,
        },
    }


def outlook_json(outlook: Outlook) -> dict[str, Any]:
    return {
        "method": outlook.method,
        "reason": outlook.reason,
        "periods": [part_json(each) for each in outlook.parts],
    }


def group_json(group: Group) -> dict[str, Any]:
    return {"name": group.name, "is_other": group.is_other, **outlook_json(group.outlook)}


def part_json(part: Part) -> dict[str, Any]:
    return {
        "start": part.first.isoformat(),
        "end": part.end.isoformat(),
        "spent": json_value(part.spent),
        **bounds_json(part.forecast),
    }


def bounds_json(made: Forecast | DayAhead | BackTest) -> dict[str, Any]:
    return {name: json_value(getattr(made, name)) for name in BOUNDS}


def day_json(each: DayAhead) -> dict[str, Any]:
    return {"day": each.day.isoformat(), **bounds_json(each)}


def test_json(each: BackTest) -> dict[str, Any]:
    return {
        "start": each.first.isoformat(),
        "end": each.end.isoformat(),
        **bounds_json(each),
        "actual": json_value(each.actual),
        "is_covered": each.is_covered,
    }


def change_json(each: Change, may_see_prices: bool) -> dict[str, Any]:
    is_shown = may_see_prices or each.kind != PRICE
    return {
        "kind": each.kind,
        "text": each.text if is_shown else UNTOLD,
        "start": each.first.isoformat(),
        "end": each.end.isoformat() if each.end else None,
        "factor": json_value(each.factor) if is_shown else None,
        "amount": json_value(each.amount) if is_shown else None,
    }
