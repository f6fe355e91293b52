"""The parameters of a list: each known, and given once."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework.request import Request

from finops.periods import InvalidQuery


def given(request: Request, known: Sequence[str]) -> dict[str, str]:
    """Raises InvalidQuery, which names the parameter."""
    params = request.query_params
    for name in params:
        if name not in known:
            raise InvalidQuery(name, f"is no parameter; known are {', '.join(known)}")
        if len(params.getlist(name)) > 1:
            raise InvalidQuery(name, "is given more than once")
    return dict(params.dict())
