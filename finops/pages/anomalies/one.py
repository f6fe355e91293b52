"""One anomaly: what was observed against what was expected, what else it is seen in, and what
people say of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from finops import access, anomalies, anomaly_charts, formats
from finops.anomalies import causes, feedback, severities, wording
from finops.anomalies.comparing import is_expected_in_money
from finops.anomalies.feedback import NotPossible
from finops.anomalies.measures import KINDS, Metric
from finops.anomalies.pictures import Picture, picture_of
from finops.anomalies.series import titled
from finops.anomaly_charts import Drawn
from finops.explained_anomalies import EXPECTED
from finops.models import Alert, Anomaly
from finops.organisation.stored import Act
from finops.pages.anomalies import explain_href, frame, seen_anomaly
from finops.pages.anomalies.rows import row_of
from finops.pages.links import address
from finops.pages.requester import address_of, signed_in
from finops.periods import Period, start_of_hour
from finops.query import CostQuery, Filter

UNTILS = (("", "It ends now"), ("24", "For 1 more day"), ("168", "For 1 more week"),
          ("720", "For 30 more days"))  # fmt: skip
SAID = {
    "real": "Written down as real.",
    "false": "Written down as a false alarm. Of what is like it in this series nobody is told.",
    "planned": "Written down as planned: it is in the calendar, and nothing is learned from it.",
    "": "What was said of it is taken back.",
}
ENDS = {"open": "Seen up to", "over": "Over since", wording.NEW_LEVEL: "Expected since"}
MARGIN = timedelta(hours=12)


@never_cache
@require_safe
def anomaly(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = seen_anomaly(request, pk), timezone.now()
    found = frame(request, wording.title(held), (titled(held.filters).capitalize(), ""))
    seen = anomalies.visible(access.standing(request.user))
    found |= {
        "anomaly": held,
        "row": row_of(held, now),
        "facts": facts(held, now),
        "chart": chart(held, now),
        "parts": parts(held),
        "also": [row_of(each, now) for each in seen.filter(lead=held).order_by("pk")],
        "lead": row_of(held.lead, now) if held.lead and seen.filter(pk=held.lead.pk) else None,
        "like": row_of(held.like, now) if held.like else None,
        "week_href": explain_href(held),
        "expected_href": explain_href(held, against=EXPECTED) if is_expected_in_money(held) else "",
        "explore_href": explore_href(held, now),
        "alerts": Alert.objects.filter(thread=f"anomaly-{held.pk}").order_by("pk")[:5],
        "untils": UNTILS,
        "verdicts": Anomaly.Verdict.choices,
        "longest_reason": feedback.LONGEST_REASON,
        "decided": wording.moment(held.decided_at, now) if held.decided_at else "",
    }
    return render(request, "anomalies/one.html", found)


@never_cache
@require_POST
def verdict(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = seen_anomaly(request, pk), timezone.now()
    said, hours = request.POST.get("verdict", ""), request.POST.get("hours", "")
    until = None
    if hours in {value for value, _ in UNTILS if value}:
        until = now + timedelta(hours=int(hours))
    act = Act(signed_in(request), now, address_of(request))
    try:
        feedback.judge(
            held,
            said,
            act,
            access.standing(request.user),
            reason=request.POST.get("reason", ""),
            until=until,
        )
    except NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, SAID[said])
    return redirect("anomaly", pk)


def facts(held: Anomaly, now: datetime) -> list[tuple[str, str]]:
    stake = severities.at_stake(held)
    day = "" if held.closed_at else " a day, if it goes on"
    if severities.is_young(held):
        day = f" a day at least{day.removeprefix(' a day')}"
    ended = wording.moment(held.ended_at, now)
    found = [
        ("Series", titled(held.filters).capitalize()),
        ("Who or what", causes.told(held)),
        ("Why", held.reason),
        ("Observed", observed(held)),
        ("Expected", wording.expected(held)),
        ("Difference", wording.change(held)),
        ("Impact", wording.impact(held) or "not known in money"),
        ("At stake", formats.money_long(stake, settings.CURRENCY) + day if stake else ""),
        ("Began", wording.moment(held.started_at, now)),
        (ENDS[wording.state(held)], ended),
        ("Noticed", f"{wording.moment(held.seen_at, now)}, {seen_by(held)}"),
        ("Rarity", rarity(held.surprise)),
    ]
    return [(name, text) for name, text in found if text]


def parts(held: Anomaly) -> list[dict[str, str]]:
    """What in it changed, and what that leaves; they add up to the last digit."""
    found = causes.causes_of(held)
    if found is None:
        return []
    lines = [
        (causes.elements(each), each.difference, formats.share_short(each.share, 1))
        for each in found.parts
    ]
    lines += [("Nothing in particular", found.unexplained, ""), ("In all", found.difference, "")]
    return [
        {
            "name": name,
            "amount": ("+" if amount > 0 else "") + formats.money_long(amount, settings.CURRENCY),
            "exact": formats.money_exact(amount, settings.CURRENCY),
            "share": share,
        }
        for name, amount, share in lines
    ]


def observed(held: Anomaly) -> str:
    return wording.value(held, held.actual)


def seen_by(held: Anomaly) -> str:
    names = dict(Anomaly.Scale.choices)
    return " and ".join(names[name] for name in names if name in held.spans)


def rarity(surprise: float) -> str:
    """Of detection's scale: the logarithm of the days between two by chance."""
    days = 10**surprise
    if days < 2:
        return "chance alone brings the like every day"
    if days < 365:
        return f"chance alone brings the like once in {days:,.0f} days"
    return f"chance alone brings the like once in {min(days / 365, 1000):,.0f} years or less"


def chart(held: Anomaly, now: datetime) -> Any:
    picture = picture_of(held)
    if picture is None:
        return None
    name = f"{held.get_metric_display()} of {titled(held.filters)}, {scale_of(picture)}"
    if KINDS[Metric(held.metric)] == "money":
        name += f", {settings.CURRENCY}"
    said = [
        f"{value_of(held, actual)}</b> (expected {value_of(held, expected)})<b>"
        for actual, expected in zip(picture.actual, picture.expected, strict=True)
    ]
    drawn = Drawn(
        picture, KINDS[Metric(held.metric)], settings.CURRENCY, settings.REPORTING_ZONE, said
    )
    return anomaly_charts.figure_of(drawn, name, now)


def scale_of(picture: Picture) -> str:
    return {"minute": "per minute", "hour": "per hour", "day": "per day"}[picture.scale]


def value_of(held: Anomaly, value: float | None) -> str:
    if value is None:
        return formats.MISSING
    return wording.value_of(Metric(held.metric), Decimal(str(value)))


def explore_href(held: Anomaly, now: datetime) -> str:
    """The same usage, a while before and after it."""
    zone = settings.REPORTING_ZONE
    margin = max(held.ended_at - held.started_at, MARGIN)
    start = start_of_hour(held.started_at - margin, zone)
    end = start_of_hour(min(held.ended_at + margin, now), zone) + timedelta(hours=1)
    by_day = end - start > timedelta(hours=72)
    kept = tuple(Filter(name, (value,)) for name, value in sorted(held.filters.items()))
    free = [name for name in ("team", "feature", "model") if name not in held.filters]
    query = CostQuery(
        period=Period(start, end),
        granularity="day" if by_day or "user" in held.filters else "hour",
        group_by=tuple(free[:1]) or ("user",),
        filters=kept,
        metrics=("effective_cost", "requests"),
        limit=None,
        compare=False,
        zone=zone,
    )
    return address("explore", query)
