"""Lets a request pass to its page only where finops.access says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from rest_framework.views import APIView

from finops import access


class GateMiddleware:
    """Asks before any view; the API asks the same question once it knows whose token it holds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if issubclass(getattr(view, "cls", object), APIView):
            return None
        match = request.resolver_match
        name = match.view_name if match else ""
        if access.allows(name, request.method or "", request.user):
            return None
        if request.user.is_authenticated:
            raise PermissionDenied("Your role does not include this page. Ask an administrator.")
        return redirect_to_login(request.get_full_path())
