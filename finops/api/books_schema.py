"""What the OpenAPI document says of the month's books."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from finops.api.allocation_schema import ALLOCATION, GONE, MONTH, money
from finops.api.schema import PROBLEMS, parameter
from finops.books.readiness import WARNINGS

STATE = serializers.ChoiceField(("draft", "closed", "sent"))
OF_VERSION: dict[str, Any] = {
    "version": serializers.IntegerField(),
    "checksum": serializers.CharField(help_text="The SHA-256 of its CSV file, in hex."),
    "total_cost": money(),
    "adjustment": money(),
    "currency": serializers.CharField(),
    "closed_at": serializers.DateTimeField(),
    "closed_by": serializers.CharField(),
    "rolled_up_to": serializers.DateTimeField(allow_null=True),
    "acknowledged": serializers.DictField(
        child=serializers.CharField(), help_text="Which warnings were known, by name."
    ),
}
VERSION = inline_serializer("StatementVersion", OF_VERSION)
OF_MONTH: dict[str, Any] = {
    "month": serializers.CharField(),
    "state": STATE,
    "version": serializers.IntegerField(help_text="The latest; 0 before the first close."),
    "sent": inline_serializer(
        "StatementsSent",
        {
            "at": serializers.DateTimeField(),
            "by": serializers.CharField(),
            "to": serializers.CharField(),
        },
        allow_null=True,
    ),
    "reopening": inline_serializer(
        "ReopeningAsked",
        {
            "asked_at": serializers.DateTimeField(),
            "asked_by": serializers.CharField(),
            "reason": serializers.CharField(),
        },
        allow_null=True,
    ),
}
HELD = inline_serializer("BooksMonthState", OF_MONTH)
LATEST = inline_serializer("StatementVersion", OF_VERSION, allow_null=True)
LISTED: dict[str, Any] = {**OF_MONTH, "latest": LATEST}
BOOKS_SCHEMA: dict[str, Any] = {
    "operation_id": "books",
    "summary": "The months that were closed at least once, the latest first",
    "responses": {
        (200, "application/json"): inline_serializer(
            "Books",
            {
                "next_to_close": serializers.CharField(help_text="Over or not."),
                "months": inline_serializer("BooksMonthListed", LISTED, many=True),
            },
        ),
        **PROBLEMS,
    },
}
FINDINGS = inline_serializer(
    "CloseFinding",
    {"name": serializers.CharField(), "detail": serializers.CharField()},
    many=True,
    required=False,
)
MONTH_SCHEMA: dict[str, Any] = {
    "operation_id": "books_month",
    "summary": "How a month stands: what is against closing it, its versions, and who did what",
    "description": "Of a month that is closed, without what stands against closing it.",
    "parameters": [MONTH],
    "responses": {
        (200, "application/json"): inline_serializer(
            "BooksMonth",
            {
                **LISTED,
                "versions": inline_serializer("StatementVersion", OF_VERSION, many=True),
                "acts": inline_serializer(
                    "BooksAct",
                    {
                        "at": serializers.DateTimeField(),
                        "by": serializers.CharField(),
                        "act": serializers.ChoiceField(
                            ("close", "send", "ask_reopening", "keep_closed", "reopen")
                        ),
                        "version": serializers.IntegerField(),
                        "reason": serializers.CharField(),
                        "sent_to": serializers.CharField(),
                    },
                    many=True,
                ),
                "may_close": serializers.BooleanField(required=False),
                "problems": FINDINGS,
                "warnings": FINDINGS,
                "draft": inline_serializer(
                    "BooksDraft",
                    {"total_cost": money(), "currency": serializers.CharField()},
                    required=False,
                ),
            },
        ),
        **PROBLEMS,
        **GONE,
    },
}
CLOSE_SCHEMA: dict[str, Any] = {
    "operation_id": "close_month",
    "summary": "Close a month: freeze its statements as another version",
    "description": "Refused while anything stands against it. A warning that is not in "
    "`acknowledged` is told and closes nothing; nor does a `total_cost` that it does not come to.",
    "parameters": [MONTH],
    "request": {
        "application/json": inline_serializer(
            "CloseTerms",
            {
                "acknowledged": serializers.ListField(
                    child=serializers.ChoiceField(WARNINGS), required=False
                ),
                "total_cost": money(required=False),
            },
        )
    },
    "responses": {(201, "application/json"): VERSION, **PROBLEMS, **GONE},
}
ASK_SCHEMA: dict[str, Any] = {
    "operation_id": "ask_reopening",
    "summary": "Ask to have a closed month opened again",
    "description": "Another person has to agree.",
    "parameters": [MONTH],
    "request": {
        "application/json": inline_serializer(
            "ReopeningTerms", {"reason": serializers.CharField(max_length=2000)}
        )
    },
    "responses": {(201, "application/json"): HELD, **PROBLEMS, **GONE},
}
KEEP_SCHEMA: dict[str, Any] = {
    "operation_id": "keep_closed",
    "summary": "Keep a month closed that somebody asked to have opened again",
    "parameters": [MONTH],
    "responses": {(200, "application/json"): HELD, **PROBLEMS, **GONE},
}
AGREE_SCHEMA: dict[str, Any] = {
    "operation_id": "agree_to_reopening",
    "summary": "Agree to what another person asked for: the month is a draft again",
    "description": "Whoever asked is refused, whichever of their tokens they use.",
    "parameters": [MONTH],
    "request": None,
    "responses": {(200, "application/json"): HELD, **PROBLEMS, **GONE},
}
SENT_SCHEMA: dict[str, Any] = {
    "operation_id": "mark_statements_sent",
    "summary": "Say whom the statements of a closed month went to",
    "parameters": [MONTH],
    "request": {
        "application/json": inline_serializer(
            "SentTerms", {"sent_to": serializers.CharField(max_length=2000)}
        )
    },
    "responses": {(200, "application/json"): HELD, **PROBLEMS, **GONE},
}
VERSION_SCHEMA: dict[str, Any] = {
    "operation_id": "statement_version",
    "summary": "A version of a month's statements, as it was closed",
    "description": "The answer of `/api/v1/allocations/{month}.json`, and `statement` with its "
    "checksum and who closed it.",
    "parameters": [MONTH],
    "responses": {(200, "application/json"): ALLOCATION, **PROBLEMS, **GONE},
}
VERSION_CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "statement_version_csv",
    "summary": "The CSV file of a version, of which the checksum is",
    "parameters": [MONTH],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS, **GONE},
}
DIFFERENCES_SCHEMA: dict[str, Any] = {
    "operation_id": "statement_differences",
    "summary": "What each cost center bears more by a version than by an earlier one",
    "description": "Cost centers that bear the same are left out; the differences add up to that "
    "of the totals.",
    "parameters": [MONTH, parameter("since", "The earlier version; the one before.")],
    "responses": {
        (200, "application/json"): inline_serializer(
            "StatementDifferences",
            {
                "month": serializers.CharField(),
                "version": serializers.IntegerField(),
                "since": serializers.IntegerField(),
                "currency": serializers.CharField(),
                "cost_centers": inline_serializer(
                    "StatementDifference",
                    {
                        "cost_center": serializers.CharField(),
                        "requests": serializers.IntegerField(),
                        **{
                            name: money()
                            for name in ("direct_cost", "shared_cost", "idle_cost", "adjustment")
                        },
                        **{
                            name: money()
                            for name in ("total_cost", "total_cost_before", "total_cost_after")
                        },
                    },
                    many=True,
                ),
                "total_difference": money(),
            },
        ),
        **PROBLEMS,
        **GONE,
    },
}
