"""The pages of anomalies: the list, one with its chart, and planned events."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from finops import access, anomalies
from finops.models import Anomaly

GONE = (
    "There is no such anomaly any more, or it is of a team that is not yours. Little ones are kept "
    "for 90 days; what is still there is listed under Anomalies."
)


def frame(request: HttpRequest, heading: str, *crumbs: tuple[str, str]) -> dict[str, Any]:
    """What every page has in its context; `crumbs` are names and addresses below the list."""
    return {
        "section": "anomalies",
        "heading": heading,
        "breadcrumb": [("Anomalies", reverse("anomalies")), *crumbs],
        "may_answer": access.allows("anomaly-verdict", "POST", request.user),
        "zone": settings.REPORTING_ZONE.key,
        "currency": settings.CURRENCY,
    }


def seen_anomaly(request: HttpRequest, pk: int) -> Anomaly:
    """Raises Http404 where there is none that the reader may see."""
    seen = anomalies.visible(access.standing(request.user))
    found = seen.select_related("lead", "like").filter(pk=pk).first()
    if found is None:
        raise Http404(GONE)
    return found


def explain_href(anomaly: Anomaly, **more: str) -> str:
    """What explains it: set against a week before, or `against` what was expected."""
    return f"{reverse('explain')}?{urlencode({'anomaly': str(anomaly.pk), **more})}"
