"""What a reader sees when something of ours broke."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from finops.pages import wants_fragment

RETRY_AFTER_SECONDS = "2"


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request, because what it would look up may be what broke.

    Django calls it while it handles the error. A database that is away is expected back.
    """
    template = "_server_error.html" if wants_fragment(request) else "500.html"
    is_away = isinstance(sys.exception(), OperationalError | InterfaceError)
    page = render_to_string(template, {"is_away": is_away})
    if is_away:
        return HttpResponse(page, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})
    return HttpResponse(page, status=500)
