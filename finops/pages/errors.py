"""What a reader sees when something of ours broke."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from finops.pages import wants_fragment


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request, because what it would look up may be what broke."""
    template = "_server_error.html" if wants_fragment(request) else "500.html"
    return HttpResponse(render_to_string(template), status=500)
