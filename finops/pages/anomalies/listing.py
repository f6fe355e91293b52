"""The list of anomalies: open ones first, then the latest; and how far anything is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finops import access, anomalies, formats
from finops.anomalies import severities, wording
from finops.anomalies.listing import NOTABLE, Search, is_behind
from finops.anomalies.scales import SCALES
from finops.anomalies.series import Key, titled
from finops.models import Anomaly, AnomalyTurn
from finops.pages.anomalies import frame
from finops.pages.anomalies.rows import row_of
from finops.pages.kpis import Kpi
from finops.periods import InvalidQuery

HEADING = "What is not as expected?"
STATES = (
    ("open", "Going on"),
    ("closed", "Over"),
    ("quiet", "Like a false alarm: nobody was told"),
)
# Without a severity little ones are left out: there are many, and nobody is told of them.
ANY = "any"
VERDICTS = (*Anomaly.Verdict.choices, ("none", "Nobody has said"))
NOTES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Watch:
    """How far one scale is judged, and what is not."""

    scale: str
    text: str
    notes: list[str]
    is_behind: bool


@never_cache
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    now, given, status = timezone.now(), request.GET.dict(), 200
    wants_any = given.get("severity") == ANY
    standing = access.standing(request.user)
    found = frame(request, HEADING)
    search, page = Search(), None
    try:
        search = Search.from_params(given | ({"severity": ""} if wants_any else {}))
        is_notable = not wants_any and not search.severity
        page = anomalies.page(search, standing, given.get("cursor", ""), is_notable=is_notable)
        if is_notable:
            little = replace(search, severity=Anomaly.Severity.INFO.value)
            found["little_count"] = anomalies.count(little, standing)
            found["little_href"] = href(little.to_params())
    except InvalidQuery as error:
        found |= {"error": error, "way_on": reverse("anomalies")}
        status = 400
    params = search.to_params() | ({"severity": ANY} if wants_any else {})
    if page:
        found["rows"] = [row_of(each, now) for each in page.anomalies]
        if page.next_cursor:
            found["next_href"] = href(params | {"cursor": page.next_cursor})
    turns = anomalies.watched()
    found |= {
        "search": search,
        "wants_any": wants_any,
        "csv_href": csv_href(params),
        "is_filtered": bool(params),
        "first_href": href(params) if given.get("cursor") else "",
        "states": STATES,
        "severities": Anomaly.Severity.choices,
        "metrics": Anomaly.Metric.choices,
        "verdicts": VERDICTS,
        "watches": [watch(each, now, standing.teams is None) for each in turns],
        "is_behind": any(is_behind(each, now) for each in turns),
        "is_judged": bool(turns),
        "waiting": [name for name in SCALES if name not in {each.scale for each in turns}],
        "is_brand_new": bool(turns) and all(is_unjudged(each) for each in turns),
        "kpis": kpis(anomalies.open_now(standing)),
        "thresholds": severities.in_force(),
        "may_set": access.allows("settings-anomalies", "GET", request.user),
    }
    return render(request, "anomalies/page.html", found, status=status)


def csv_href(params: dict[str, str]) -> str:
    """What the list shows, all pages of it."""
    shown = {"severity": NOTABLE} | params | {"format": "csv"}
    kept = {name: value for name, value in sorted(shown.items()) if value != ANY}
    return f"{reverse('api-anomalies')}?{urlencode(kept)}"


def href(params: dict[str, str]) -> str:
    return f"{reverse('anomalies')}?{urlencode(params)}" if params else reverse("anomalies")


def kpis(going_on: Sequence[Anomaly]) -> list[Kpi]:
    costing = beyond(going_on)
    spent = sum((each.impact or Decimal(0) for each in costing), Decimal(0))
    critical = sum(1 for each in going_on if each.severity == Anomaly.Severity.CRITICAL)
    return [
        Kpi(
            "Going on",
            formats.count_long(len(going_on)),
            note=f"{critical} critical" if critical else "none critical",
            tone="warn" if going_on else "",
        ),
        Kpi(
            "Cost beyond the expected, so far",
            formats.money_short(spent, settings.CURRENCY),
            formats.money_exact(spent, settings.CURRENCY),
            note=f"most of it: {titled(costing[0].filters)}" if costing else "",
        ),
    ]


def beyond(going_on: Sequence[Anomaly]) -> list[Anomaly]:
    """What costs more than expected, the dearest first, without what may be the same usage."""
    dear = [
        each
        for each in going_on
        if each.metric == Anomaly.Metric.COST and each.impact is not None and each.impact > 0
    ]
    found: list[Anomaly] = []
    for each in sorted(dear, key=lambda each: -(each.impact or Decimal(0))):
        key = Key.of(each.filters)
        if not any(key.is_compatible(Key.of(other.filters)) for other in found):
            found.append(each)
    return found


def is_unjudged(turn: AnomalyTurn) -> bool:
    return bool(sum(turn.notes.values()) >= turn.series)


def grouped(turn: AnomalyTurn) -> list[tuple[str, int]]:
    """Those that are too new in one line, however long each has been there."""
    counts: Counter[str] = Counter()
    for note, count in turn.notes.items():
        new, _, needed = note.rpartition(", more than ")
        is_new = new.startswith("Brand new: ")
        counts[f"Brand new: more than {needed}" if is_new else note] += count
    return counts.most_common()


def watch(turn: AnomalyTurn, now: datetime, sees_all: bool) -> Watch:
    series = f"{turn.series:,} series" if turn.series else "no series: nothing was used yet"
    text = f"{series}, up to {wording.moment(turn.judged_to, now)}"
    if turn.left_out:
        text += f"; {turn.left_out:,} or more smaller ones are not judged at this scale"
    notes = [f"{count:,} of them: {note}" for note, count in list(grouped(turn))[:NOTES_SHOWN]]
    label = turn.get_scale_display().capitalize()
    return Watch(label, text, notes if sees_all else [], is_behind(turn, now))
