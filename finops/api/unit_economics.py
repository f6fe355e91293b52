"""GET /api/v1/unit-economics: what an outcome costs, or what is left of money, as JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import business_metrics
from finops.api.costs import CsvRenderer, query_json
from finops.api.costs_csv import file_name
from finops.api.operation_schema import operation_json
from finops.api.tables import csv_response, text_cell
from finops.api.unit_economics_schema import CSV_SCHEMA, JSON_SCHEMA
from finops.api.values import csv_value, instant, json_value
from finops.business_metrics import Answered
from finops.operations import working_on
from finops.unit_economics import STATES, Figure, Question, Row

AMOUNTS = ("cost", "value", "matched_cost", "matched_value", "cost_per_unit")
OF_MONEY = ("margin", "margin_percent")


class UnitEconomicsView(APIView):
    # What REST framework says of itself to OPTIONS cannot be written as CSV.
    http_method_names = ("get", "head")
    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(**JSON_SCHEMA)
    def get(self, request: Request, format: str = "") -> Response | StreamingHttpResponse:
        now = timezone.now()
        given = dict(request.query_params.lists())
        metric, question = business_metrics.asked(given, request.user, now)
        found = business_metrics.answer(metric, question, now=now)
        if request.accepted_renderer.format == CsvRenderer.format:
            name = file_name(question.query, f"unit-economics-{question.terms.key}")
            return csv_response(name, header(question), csv_rows(found))
        return Response(as_json(found))


class UnitEconomicsCsvView(UnitEconomicsView):
    @extend_schema(**CSV_SCHEMA)
    def get(self, request: Request, format: str = "csv") -> Response | StreamingHttpResponse:
        return super().get(request, format)


def as_json(found: Answered) -> dict[str, Any]:
    question, freshness = found.question, found.freshness
    period = question.query.period
    answer: dict[str, Any] = {
        "query": question_json(question),
        "metric": metric_json(question),
        "currency": found.currency,
        "rows": [row_json(row, question) for row in found.answer.rows],
        "totals": figure_json(found.answer.totals, question),
        "freshness": {
            "rolled_up_to": instant(freshness.rolled_up_to),
            "pending_events": freshness.pending_events,
            "recorded_since": instant(freshness.recorded_since),
            "operations": [operation_json(each) for each in working_on(period.start, period.end)],
        },
        "coverage": {
            "priced_requests": found.coverage.priced_requests,
            "unpriced_requests": found.coverage.unpriced_requests,
        },
    }
    if question.query.compare:
        answer |= {"previous": None, "change": None, "not_compared_because": found.gap or None}
    if found.previous and found.previous_question:
        before = found.previous_question
        answer["previous"] = {
            "query": question_json(before),
            "rows": [row_json(row, before) for row in found.previous.rows],
            "totals": figure_json(found.previous.totals, before),
        }
    if change := found.change:
        answer["change"] = {
            "before": json_value(change.before),
            "after": json_value(change.after),
            "difference": json_value(change.difference),
            "due_to_cost": json_value(change.due_to_cost),
            "due_to_outcomes": json_value(change.due_to_outcomes),
        }
    return answer


def question_json(question: Question) -> dict[str, Any]:
    """Everything that was asked, with the filters of the metric."""
    own = query_json(question.usage)
    for name in ("metrics", "limit"):
        del own[name]
    compare = "previous" if question.query.compare else None
    return {"metric": question.terms.key, "basis": question.basis, **own, "compare": compare}


def metric_json(question: Question) -> dict[str, Any]:
    terms = question.terms
    return {
        "key": terms.key,
        "name": terms.name,
        "unit": terms.unit or terms.currency,
        "kind": "money" if terms.is_money else "count",
        "adds_up": terms.adds_up,
        "absent_is_zero": terms.absent_is_zero,
        "dimensions": list(terms.dimensions),
    }


def row_json(row: Row, question: Question) -> dict[str, Any]:
    return {
        "start": day_text(row.start),
        **dict(zip(question.query.group_by, row.keys, strict=True)),
        **figure_json(row.figure, question),
        "is_partial": row.is_partial,
    }


def figure_json(held: Figure, question: Question) -> dict[str, Any]:
    names = (*AMOUNTS, *OF_MONEY) if question.terms.is_money else AMOUNTS
    return {
        **{name: json_value(getattr(held, name)) for name in names},
        "reason": held.reason or None,
        "cost_by_state": {state: json_value(held.by_state[state]) for state in held.by_state},
        "unpriced_requests": held.unpriced_requests,
    }


def day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def header(question: Question) -> list[str]:
    return [
        *("start", *question.query.group_by, *AMOUNTS),
        *(OF_MONEY if question.terms.is_money else ()),
        *(f"cost_{state}" for state in STATES[1:]),
        *("unpriced_requests", "is_partial", "reason", "unit", "currency", "basis"),
    ]


def csv_rows(found: Answered) -> Iterator[list[str]]:
    question = found.question
    names = (*AMOUNTS, *OF_MONEY) if question.terms.is_money else AMOUNTS
    ends = [question.terms.unit or found.currency, found.currency, question.basis]
    for row in found.answer.rows:
        held = row.figure
        yield [
            day_text(row.start) or "",
            *map(text_cell, row.keys),
            *(csv_value(getattr(held, name)) for name in names),
            *(csv_value(held.by_state.get(state)) for state in STATES[1:]),
            *(str(held.unpriced_requests), "true" if row.is_partial else "false", held.reason),
            *map(text_cell, ends),
        ]
