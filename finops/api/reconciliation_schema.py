"""What the OpenAPI document says of bills and reconciliations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from finops.api.allocation_schema import GONE, MONTH, money
from finops.api.schema import PROBLEMS, parameter
from finops.bills.apart import COUNTED, CURRENCY, NO_ACCOUNT, NO_REPORT, OWN_FLEET
from finops.bills.imports import MOST_BYTES
from finops.bills.mappings import COLUMNS
from finops.bills.months import STATUSES
from finops.reconciliation import KNOWN, PARTS

REASONS = (NO_REPORT, COUNTED, CURRENCY, OWN_FLEET, NO_ACCOUNT)
OF_IMPORT: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "name": serializers.CharField(),
    "sha256": serializers.CharField(),
    "reports": serializers.CharField(help_text="Whose reports of which kind are in it."),
    "lines": serializers.IntegerField(),
    "lines_in_force": serializers.IntegerField(help_text="Which no later import replaced."),
    "has_more": serializers.BooleanField(help_text="The provider has further pages."),
    "left_out": inline_serializer(
        "BillLeftOut",
        {
            "lines": serializers.IntegerField(help_text="Of other things than inference."),
            "amounts": serializers.DictField(child=serializers.CharField()),
        },
    ),
    "created_at": serializers.DateTimeField(),
    "created_by": serializers.CharField(),
    "withdrawn_at": serializers.DateTimeField(allow_null=True),
    "withdrawn_by": serializers.CharField(allow_null=True),
}
TAKEN = inline_serializer(
    "BillTaken",
    {
        "is_new": serializers.BooleanField(),
        "lines_replaced": serializers.IntegerField(help_text="Of earlier imports."),
        **OF_IMPORT,
    },
)
BILLS_SCHEMA: dict[str, Any] = {
    "operation_id": "bills",
    "summary": "Imports of what providers billed, the latest first",
    "responses": {
        (200, "application/json"): inline_serializer(
            "BillImports", {"imports": inline_serializer("BillImport", OF_IMPORT, many=True)}
        ),
        **PROBLEMS,
    },
}
WITHDRAW_SCHEMA: dict[str, Any] = {
    "operation_id": "withdraw_bill",
    "summary": "Withdraw an import",
    "description": "Nothing of it holds then, and what it took the place of holds again. It stays "
    "on record, as do true-ups that were accepted.",
    "responses": {
        (200, "application/json"): inline_serializer(
            "BillWithdrawn", {"lines_restored": serializers.IntegerField(), **OF_IMPORT}
        ),
        **PROBLEMS,
    },
}
ABOUT_COLUMNS = "The column of a table of your own; without any, the file is one that is known."
IMPORT_SCHEMA: dict[str, Any] = {
    "operation_id": "import_bill",
    "summary": "Import what a provider billed",
    "description": f"The body is {KNOWN}; at most {MOST_BYTES // 2**20} MiB. All or nothing: each "
    "line that is wrong is named. What says the same of a day again takes the place of what was "
    "said, and the same file twice is one import.",
    "parameters": [
        parameter("name", "The name of the file."),
        parameter("day", "Of one result without a day of its own, like 2026-10-01."),
        *(parameter(name, ABOUT_COLUMNS) for name in COLUMNS),
        parameter("provider", "Of all lines of a table of your own."),
        parameter("currency", "Of all lines of a table of your own; USD."),
        parameter("unit", "How many tokens one of its quantity is; 1."),
    ],
    "request": {"text/csv": str, "application/json": OpenApiTypes.OBJECT},
    "responses": {
        (200, "application/json"): TAKEN,
        (201, "application/json"): TAKEN,
        **PROBLEMS,
    },
}
PARTS_OF = inline_serializer("DifferenceParts", {name: money(required=False) for name in PARTS})
SUM: dict[str, Any] = {
    **{name: money(allow_null=True) for name in ("billed", "difference")},
    **{name: money() for name in ("ours", "matched_difference")},
    "parts": PARTS_OF,
    "cells_by_status": serializers.DictField(child=serializers.IntegerField()),
    "unpriced_requests": serializers.IntegerField(help_text="Which are in no cost of ours."),
}
CELL: dict[str, Any] = {
    "day": serializers.DateField(help_text="Of UTC, as providers bill."),
    "provider": serializers.CharField(),
    "model": serializers.CharField(help_text="Empty: the bill names none."),
    "account": serializers.CharField(help_text="Whose usage it is; empty but by account."),
    "status": serializers.ChoiceField(STATUSES),
    "ours": money(),
    "billed": money(allow_null=True),
    "difference": money(allow_null=True),
    "parts": PARTS_OF,
    "requests": serializers.IntegerField(),
    "unpriced_requests": serializers.IntegerField(),
    "quantities": serializers.DictField(
        child=inline_serializer(
            "DifferenceQuantity",
            {"ours": serializers.CharField(), "billed": serializers.CharField(allow_null=True)},
        )
    ),
}
RECONCILIATION = inline_serializer(
    "Reconciliation",
    {
        "month": serializers.CharField(),
        "currency": serializers.CharField(),
        "totals": inline_serializer("ReconciliationSum", SUM),
        "providers": inline_serializer(
            "ReconciliationProvider",
            {
                "provider": serializers.CharField(),
                **SUM,
                "remaining": serializers.CharField(
                    help_text="What of the difference is in no true-up yet."
                ),
            },
            many=True,
        ),
        "cells": inline_serializer("ReconciliationCell", CELL, many=True),
        "unbilled": inline_serializer(
            "ReconciliationUnbilled",
            {
                "provider": serializers.CharField(),
                "reason": serializers.ChoiceField(REASONS),
                "days": serializers.IntegerField(),
                "first": serializers.DateField(),
                "last": serializers.DateField(),
                "ours": money(),
                "requests": serializers.IntegerField(),
                "unpriced_requests": serializers.IntegerField(),
            },
            many=True,
        ),
        "other_currencies": inline_serializer(
            "ReconciliationForeign",
            {
                "provider": serializers.CharField(),
                "currency": serializers.CharField(),
                "billed": serializers.CharField(),
                "lines": serializers.IntegerField(),
            },
            many=True,
        ),
        "unmapped_accounts": inline_serializer(
            "ReconciliationUnmapped",
            {
                "provider": serializers.CharField(),
                "account": serializers.CharField(help_text="Empty: of none."),
                "billed": money(),
                "lines": serializers.IntegerField(),
            },
            many=True,
        ),
        "converted": inline_serializer(
            "ReconciliationConverted",
            {
                "provider": serializers.CharField(),
                "currency": serializers.CharField(),
                "billed": serializers.CharField(help_text="In its currency."),
                "amount": money(),
                "lines": serializers.IntegerField(),
                "first_rates": serializers.DateField(),
                "last_rates": serializers.DateField(),
                "source": serializers.CharField(help_text="Of the exchange rates."),
            },
            many=True,
        ),
        "freshness": inline_serializer(
            "ReconciliationFreshness",
            {
                "rolled_up_to": serializers.DateTimeField(allow_null=True),
                "pending_events": serializers.IntegerField(),
                "recorded_since": serializers.DateTimeField(allow_null=True),
            },
        ),
    },
)
ABOUT = (
    "Days are of UTC. Compared is what a report says what is billed of: other usage is `unbilled`, "
    "with the reason, and days with amounts of another currency are apart. The parts of a "
    "difference add up to it to the last digit."
)
BY = parameter("by", "account: by service and team, as accounts of bills are mapped to them.")
JSON_SCHEMA: dict[str, Any] = {
    "operation_id": "reconciliation",
    "summary": "What was billed in a month against what was used, and why it differs",
    "description": ABOUT,
    "parameters": [MONTH, BY],
    "responses": {(200, "application/json"): RECONCILIATION, **PROBLEMS, **GONE},
}
CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "reconciliation_csv",
    "summary": "The same by provider, model and day, as CSV",
    "description": ABOUT,
    "parameters": [MONTH, BY],
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS, **GONE},
}
TRUE_UP_SCHEMA: dict[str, Any] = {
    "operation_id": "accept_true_up",
    "summary": "Accept what is left of a provider's difference as a cost item",
    "description": "A one-off amount in the month itself or, where that is closed, in the first "
    "one that is open. `amount` is what was looked at: where it is another one now, it is refused.",
    "parameters": [MONTH],
    "request": {
        "application/json": inline_serializer(
            "TrueUpTerms", {"provider": serializers.CharField(), "amount": serializers.CharField()}
        )
    },
    "responses": {
        (201, "application/json"): inline_serializer(
            "TrueUp",
            {
                "cost_item": serializers.IntegerField(),
                "effective_from": serializers.DateField(),
                "amount": serializers.CharField(),
                "reference": serializers.CharField(),
            },
        ),
        **PROBLEMS,
        **GONE,
    },
}
ACCOUNT: dict[str, Any] = {
    "provider": serializers.CharField(help_text="Of the bill."),
    "account": serializers.CharField(help_text="A project, workspace or key, as the bill has it."),
    "service": serializers.CharField(allow_null=True, required=False),
    "team": serializers.CharField(allow_null=True, required=False),
}
ONE_ACCOUNT = inline_serializer("BillAccount", ACCOUNT)
ACCOUNTS_SCHEMA: dict[str, Any] = {
    "operation_id": "bill_accounts",
    "summary": "Whose usage the accounts of bills are",
    "responses": {
        (200, "application/json"): inline_serializer(
            "BillAccounts", {"accounts": inline_serializer("BillAccountOf", ACCOUNT, many=True)}
        ),
        **PROBLEMS,
    },
}
ACCOUNT_PUT_SCHEMA: dict[str, Any] = {
    "operation_id": "map_bill_account",
    "summary": "Say which service's or team's usage an account is the bill of",
    "request": {"application/json": ONE_ACCOUNT},
    "responses": {(200, "application/json"): ONE_ACCOUNT, **PROBLEMS},
}
ACCOUNT_DELETE_SCHEMA: dict[str, Any] = {
    "operation_id": "forget_bill_account",
    "summary": "Forget whose usage an account is",
    "parameters": [parameter("provider", "Of the bill."), parameter("account", "As it has it.")],
    "responses": {204: None, **PROBLEMS},
}
ACCOUNTS_CSV_SCHEMA: dict[str, Any] = {
    "operation_id": "bill_accounts_csv",
    "summary": "The same as CSV",
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS},
}
ACCOUNTS_CSV_PUT_SCHEMA: dict[str, Any] = {
    "operation_id": "replace_bill_accounts",
    "summary": "Put a file in the place of all accounts",
    "request": {"text/csv": str},
    "responses": {(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS},
}
