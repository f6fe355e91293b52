"""The pages of budgets: the list, one budget with its burn-down, the form with its back-test, and
asking for more."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from finops import access, budgets
from finops.models import Budget


def frame(request: HttpRequest, heading: str, *crumbs: tuple[str, str]) -> dict[str, Any]:
    """What every page has in its context; `crumbs` are names and addresses below the list."""
    return {
        "section": "budgets",
        "heading": heading,
        "breadcrumb": [("Budgets", reverse("budgets")), *crumbs],
        "may_manage": access.allows("budget-new", "POST", request.user),
        "currency": settings.CURRENCY,
    }


def seen_budget(request: HttpRequest, pk: int) -> Budget:
    """Raises Http404 where there is none that the reader may see."""
    found = budgets.visible(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such budget any more, or it is not of your teams.")
    return found
