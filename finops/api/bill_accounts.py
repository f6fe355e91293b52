"""/api/v1/bill-accounts: whose usage the accounts of bills are."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops.api import reconciliation_schema as schema
from finops.api.budgets import body
from finops.api.costs import CsvRenderer
from finops.api.ownership import act, known, receive
from finops.api.parameters import given
from finops.api.tables import csv_response
from finops.bills import account_files, accounts
from finops.bills.accounts import HEADER, Mapped
from finops.cells import text_cell


class BillAccountsView(APIView):
    http_method_names = ("get", "head", "put", "delete", "options")

    @extend_schema(**schema.ACCOUNTS_SCHEMA)
    def get(self, request: Request) -> Response:
        given(request, ())
        return Response({"accounts": [account_json(each) for each in accounts.every()]})

    @extend_schema(**schema.ACCOUNT_PUT_SCHEMA)
    def put(self, request: Request) -> Response:
        mapped = accounts.read(known(body(request), HEADER))
        accounts.put(mapped, act(request))
        return Response(account_json(mapped))

    @extend_schema(**schema.ACCOUNT_DELETE_SCHEMA)
    def delete(self, request: Request) -> Response:
        terms = given(request, HEADER[:2])
        accounts.forget(terms.get("provider", ""), terms.get("account", ""), act(request))
        return Response(status=204)


class BillAccountsCsvView(APIView):
    http_method_names = ("get", "head", "put", "options")
    renderer_classes = (JSONRenderer, CsvRenderer)

    @extend_schema(**schema.ACCOUNTS_CSV_SCHEMA)
    def get(self, request: Request) -> StreamingHttpResponse:
        given(request, ())
        rows = account_files.rows(accounts.every(), text_cell)
        return csv_response("bill-accounts.csv", HEADER, rows)

    @extend_schema(**schema.ACCOUNTS_CSV_PUT_SCHEMA)
    def put(self, request: Request) -> StreamingHttpResponse:
        with TemporaryFile() as file:
            receive(request, file)
            found = account_files.accounts_in(file.read())
        accounts.replace(found, act(request))
        rows = account_files.rows(accounts.every(), text_cell)
        return csv_response("bill-accounts.csv", HEADER, rows)


def account_json(each: Mapped) -> dict[str, Any]:
    said = {"service": None, "team": None} | {each.dimension: each.value}
    return {"provider": each.provider, "account": each.account, **said}
