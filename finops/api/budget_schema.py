"""What the OpenAPI document says of budgets, and how answers write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from finops import budgets
from finops.api.budget_acts import ENFORCEMENT, SLOWED
from finops.api.schema import MONEY, PROBLEMS, ProblemSerializer, parameter
from finops.api.values import instant, json_value, plain
from finops.budgets import ranking
from finops.models import Budget, BudgetStatus, Threshold

JSON = "application/problem+json"
LARGEST_PAGE = 1_000  # and the usual one
MONEY_FIELDS = ("amount", "actual", "estimated", "previous")
FORECASTS = ("forecast", "forecast_low", "forecast_high")
FORECAST_DECIMALS, BURN_DECIMALS = 5, 4
DECIMAL: dict[str, Any] = {"help_text": MONEY, "allow_null": True}
THRESHOLD: dict[str, Any] = {
    "basis": serializers.ChoiceField(Threshold.Basis.values),
    "kind": serializers.ChoiceField(Threshold.Kind.values, required=False),
    "value": serializers.CharField(
        help_text="Percent of the amount, or money. Of a burn rate percent of what an even pace "
        "allows in the window, or money spent in it."
    ),
    "window_hours": serializers.IntegerField(
        required=False, allow_null=True, help_text="Of a burn rate. By user whole days."
    ),
    "severity": serializers.ChoiceField(Threshold.Severity.values, required=False),
}
TERMS: dict[str, Any] = {
    "name": serializers.CharField(),
    "filters": serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Dimension → values that are kept; `!` before one that is excluded.",
    ),
    "for_each": serializers.CharField(
        required=False, allow_blank=True, help_text="A dimension: each value has the amount."
    ),
    "owner": serializers.CharField(required=False, allow_blank=True, help_text="A user name."),
    "period": serializers.ChoiceField(Budget.Span.values),
    "rolling_days": serializers.IntegerField(required=False, allow_null=True),
    "amount_kind": serializers.ChoiceField(Budget.AmountKind.values, required=False),
    "amount": serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Fixed, or where the plan or the last period says nothing.",
    ),
    "change_percent": serializers.CharField(
        required=False, allow_null=True, help_text="Added to what the last period came to."
    ),
    "plan": serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Month like 2026-10 → amount."
    ),
    "cost": serializers.ChoiceField(Budget.Cost.values, required=False),
    "unpriced": serializers.ChoiceField(Budget.Unpriced.values, required=False),
    "unpriced_rate": serializers.CharField(
        required=False, allow_null=True, help_text="Per million tokens, of estimates."
    ),
    "thresholds": serializers.ListField(
        child=inline_serializer("BudgetThreshold", THRESHOLD),
        required=False,
        help_text="By default 80 and 100 percent spent, and 100 percent forecast.",
    ),
    "note": serializers.CharField(required=False, allow_blank=True),
    "enforcement": serializers.ChoiceField(
        Budget.Enforcement.values,
        required=False,
        help_text="What /api/v1/authorize answers of calls past the amount.",
    ),
    "throttle_percent": serializers.CharField(required=False, allow_null=True, help_text=SLOWED),
    "fail_closed": serializers.BooleanField(
        required=False, help_text="Without fresh figures no call is let through."
    ),
}
KEPT: dict[str, Any] = {
    "id": serializers.IntegerField(),
    **TERMS,
    "team": serializers.CharField(help_text="Whose members see it; empty: who sees all."),
    "version": serializers.IntegerField(),
    "created_at": serializers.DateTimeField(),
    "created_by": serializers.CharField(),
    "changed_at": serializers.DateTimeField(),
    "changed_by": serializers.CharField(),
    "warnings": serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Of odd filters; not in lists."
    ),
}
STANDING: dict[str, Any] = {
    "value": serializers.CharField(help_text="Of for_each; empty for the whole budget."),
    "state": serializers.ChoiceField(BudgetStatus.State.values),
    "period_start": serializers.DateField(),
    "period_end": serializers.DateField(help_text="The first day after it."),
    **{name: serializers.CharField(**DECIMAL) for name in (*MONEY_FIELDS, *FORECASTS)},
    "forecast_method": serializers.ChoiceField(BudgetStatus.Method.values),
    "forecast_reason": serializers.CharField(
        help_text="Of a budget for each value: which of them have one, and how often."
    ),
    "burn": serializers.DictField(
        child=serializers.CharField(),
        help_text="Hours of a window → what was spent in it, to 4 decimals.",
    ),
    "unpriced_requests": serializers.IntegerField(),
    "values": serializers.IntegerField(),
    "values_over": serializers.IntegerField(),
    "enforcement": ENFORCEMENT,
    "freshness": inline_serializer(
        "BudgetFreshness",
        {
            "rolled_up_to": serializers.DateTimeField(allow_null=True),
            "pending_events": serializers.IntegerField(),
            "evaluated_at": serializers.DateTimeField(),
            "is_stale": serializers.BooleanField(
                help_text="The pipeline stands still: at least so much is spent, no more is judged."
            ),
        },
    ),
    "problem": serializers.CharField(help_text="Why it could not be judged, or not in full."),
    "failing_since": serializers.DateTimeField(
        allow_null=True, help_text="Since when that is so; null where it could be judged."
    ),
}
BUDGET = inline_serializer("Budget", KEPT)
GONE = {(404, JSON): OpenApiResponse(ProblemSerializer, description="There is no such budget.")}
OUTDATED = {
    (409, JSON): OpenApiResponse(
        ProblemSerializer, description="It has changed since the version that was given."
    )
}
VERSION = {
    "version": serializers.IntegerField(
        required=False, help_text="The one that is changed; another one is answered 409."
    )
}


def answers(status: int, body: Any, *more: dict[Any, Any]) -> dict[Any, Any]:
    found: dict[Any, Any] = {(status, "application/json"): body, **PROBLEMS}
    for each in more:
        found.update(each)
    return found


LIST_SCHEMA: dict[str, Any] = {
    "operation_id": "budgets",
    "summary": "The budgets that you may see",
    "parameters": [
        parameter("q", "Words that the name has, in any case."),
        parameter(
            "state",
            "Only those that are over, or near: a threshold is reached or the forecast is over; "
            "with requests without a price; or not judged lately.",
            enum=ranking.STATES,
        ),
        parameter("sort", "By name, or the most urgent first.", enum=ranking.SORTS),
        parameter("cursor", "next_cursor of the page before."),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    ],
    "responses": answers(
        200,
        inline_serializer(
            "Budgets",
            {
                "budgets": serializers.ListField(child=BUDGET),
                "next_cursor": serializers.CharField(allow_null=True),
            },
        ),
    ),
}
MAKE_SCHEMA: dict[str, Any] = {
    "operation_id": "create_budget",
    "summary": "Make a budget",
    "request": {"application/json": inline_serializer("BudgetTerms", TERMS)},
    "responses": answers(201, BUDGET),
}
ONE_SCHEMA: dict[str, Any] = {
    "operation_id": "budget",
    "summary": "One budget",
    "responses": answers(200, BUDGET, GONE),
}
CHANGE_SCHEMA: dict[str, Any] = {
    "operation_id": "change_budget",
    "summary": "Change a budget",
    "description": "What is not given stays. Thresholds that stay the same are not told again.",
    "request": {
        "application/json": inline_serializer("BudgetChange", {**TERMS, **VERSION}, partial=True)
    },
    "responses": answers(200, BUDGET, GONE, OUTDATED),
}
REMOVE_SCHEMA: dict[str, Any] = {
    "operation_id": "remove_budget",
    "summary": "Remove a budget",
    "description": "It is evaluated no more; its alerts and the audit trail stay.",
    "parameters": [
        OpenApiParameter("version", OpenApiTypes.INT, description="The one that is removed.")
    ],
    "responses": {204: None, **answers(400, PROBLEMS[400, JSON], GONE, OUTDATED)},
}


def budget_json(budget: Budget) -> dict[str, Any]:
    return {
        "id": budget.pk,
        **budgets.fields_of(budgets.draft_of(budget)),
        "team": budget.team,
        "version": budget.version,
        "created_at": instant(budget.created_at),
        "created_by": budget.created_by,
        "changed_at": instant(budget.changed_at),
        "changed_by": budget.changed_by,
    }


def rounded(amount: Decimal | None, decimals: int) -> str | None:
    """Of what is worked out by shares, which may have a hundred digits that say nothing."""
    return None if amount is None else plain(Decimal(f"{amount:.{decimals}f}"))


def standing_json(row: BudgetStatus, whole: BudgetStatus | None = None) -> dict[str, Any]:
    """`whole` is of the budget that `row` is one value of: it is looked at together with all of
    them, and a row of a value is written only when it says something new."""
    # Of a period that is over the forecast is what was spent.
    is_over = row.forecast_method == BudgetStatus.Method.COMPLETE
    money = (*MONEY_FIELDS, *(FORECASTS if is_over else ()))
    estimates = () if is_over else FORECASTS
    looked = whole or row
    return {
        "value": row.value,
        "state": row.state,
        "period_start": row.period_start.isoformat(),
        "period_end": row.period_end.isoformat(),
        **{name: json_value(getattr(row, name)) for name in money},
        **{name: rounded(getattr(row, name), FORECAST_DECIMALS) for name in estimates},
        "forecast_method": row.forecast_method,
        "forecast_reason": row.forecast_reason,
        "burn": {hours: rounded(Decimal(cost), BURN_DECIMALS) for hours, cost in row.burn.items()},
        "unpriced_requests": row.unpriced_requests,
        "values": row.values,
        "values_over": row.values_over,
        "freshness": {
            "rolled_up_to": instant(looked.as_of),
            "pending_events": looked.pending_events,
            "evaluated_at": instant(looked.evaluated_at),
            "is_stale": looked.is_stale,
        },
        "problem": looked.problem,
        "failing_since": instant(looked.failing_since),
    }
