"""Errors as RFC 9457 problem+json, whatever a client accepts."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions

from finops import budgets, cost_items
from finops.costs import QueryTooSlow
from finops.exports.accounts import MissingAccounts
from finops.periods import InvalidQuery
from finops.reporting_currency import CurrencyChanged
from finops.rollups import ZoneChanged

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "2"


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> JsonResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return JsonResponse(
        body, status=status, content_type="application/problem+json", headers=headers or {}
    )


def handle_exception(error: Exception, context: dict[str, Any]) -> JsonResponse:
    """REST framework's exception handler."""
    if isinstance(error, InvalidQuery):
        errors = [{"field": error.field, "message": error.message}]
        return problem(400, str(error), errors=errors)
    if isinstance(error, ValidationError):
        return problem(400, "Some fields are wrong.", errors=field_errors(error))
    if isinstance(error, budgets.Outdated | cost_items.Outdated):
        return problem(409, str(error), version=error.version)
    if isinstance(error, MissingAccounts):
        errors = [{"field": field, "message": text} for field, text in error.missing.items()]
        return problem(409, str(error), errors=errors)
    if isinstance(error, Http404):
        return problem(404, "Nothing is at this address.")
    if isinstance(error, PermissionDenied):
        return problem(403, str(error) or "This account may not see this.")
    if isinstance(error, QueryTooSlow | ZoneChanged | CurrencyChanged):
        return problem(503, str(error))
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("the database is away: %s", error)
        retry = {"Retry-After": RETRY_AFTER_SECONDS}
        return problem(503, "The database is away; ask again in a moment.", headers=retry)
    if isinstance(error, exceptions.APIException):
        return api_problem(error)
    log.exception("%s failed", context["request"].path, exc_info=error)
    return problem(500, "Something went wrong here; the server's log says what.")


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": field, "message": message}
        for field, messages in error.message_dict.items()
        for message in messages
    ]


def api_problem(error: exceptions.APIException) -> JsonResponse:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    detail = error.detail if isinstance(error.detail, str) else str(error.detail)
    return problem(error.status_code, detail, headers=headers)


def nothing_here(request: HttpRequest, path: str = "") -> JsonResponse:
    """Every address below /api/ that is none."""
    return problem(404, f"Nothing is at {request.path}.")
