"""The pages: one module each, thin, over the same queries as the API."""

from __future__ import annotations

from django.http import HttpRequest


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for the changing part only.

    When its history misses a page it asks for the whole of it, and a fragment there would break
    the back button.
    """
    headers = request.headers
    return headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in headers
