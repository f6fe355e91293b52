"""Close: what is to be done before a month is closed, in its order, and the button that closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import access, formats
from finops.books import closing, months, readiness, versions
from finops.books.months import State
from finops.books.readiness import Readiness
from finops.cost_items.table import plain
from finops.costs import QueryTooSlow
from finops.models import BooksMonth
from finops.organisation.stored import Act
from finops.pages.filters import Choice
from finops.pages.settings.desk import act
from finops.periods import MONTH, InvalidQuery, add_months, local_day
from finops.rollups import ZoneChanged

MONTHS = 12
BADGES = {
    "done": ("ok", "Done"),
    "stop": ("crit", "To do"),
    "look": ("warn", "Look"),
    "check": ("", "Check"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is done, stop (nothing closes before it), look (somebody says that it is known) or
    check (only people can know)."""

    title: str
    words: str
    state: str
    href: str = ""
    link: str = ""
    name: str = ""  # of the warning that is acknowledged

    @property
    def badge(self) -> tuple[str, str]:
        return BADGES[self.state]


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    month = chosen(request, now)
    problems: list[str] = []
    try:
        if request.method == "POST":
            messages.success(request, done(request, month, act(request, now)))
            return redirect(address("close", month))
    except ValidationError as error:
        problems = error.messages
    except (InvalidQuery, QueryTooSlow, ZoneChanged) as error:
        problems = [str(error)]
    context = frame(month, now) | {"problems": problems, "acts": acts(month)}
    context["may_change"] = access.allows("close", "POST", request.user)
    try:
        context |= figures(month, now)
    except (InvalidQuery, QueryTooSlow, ZoneChanged) as error:
        context["error"] = {"message": str(error)}
        return render(request, "books/close.html", context, status=503)
    return render(request, "books/close.html", context, status=400 if problems else 200)


def chosen(request: HttpRequest, now: datetime) -> date:
    """The month of the address; without one, the month that is to be closed next."""
    given = MONTH.fullmatch(request.GET.get("month", ""))
    if given and 2000 <= int(given[1]) < 2100:
        return date(int(given[1]), int(given[2]), 1)
    return months.next_to_close(now, settings.REPORTING_ZONE)


def done(request: HttpRequest, month: date, by: Act) -> str:
    """What was done, in words. Raises ValidationError."""
    given, name = request.POST, f"{month:%B %Y}"
    match given.get("what", ""):
        case "close":
            seen = closing.looked_at(given.get("total_cost"))
            names = given.getlist("acknowledged")
            made = closing.close(month, by, acknowledged=names, total_cost=seen)
            return f"{name} is closed as version {made.version}."
        case "sent":
            closing.mark_sent(month, given.get("sent_to", ""), by)
            return f"The statements of {name} are marked as sent."
        case "ask":
            closing.ask_reopening(month, given.get("reason", ""), by)
            return "Asked. Another person has to agree to it on this page."
        case "reopen":
            closing.reopen(month, by)
            return f"{name} is open again. What is closed next is another version."
        case "keep":
            closing.withdraw_reopening(month, by)
            return f"{name} stays closed."
    raise ValidationError("Choose one of the buttons.")


def frame(month: date, now: datetime) -> dict[str, Any]:
    present = local_day(now, settings.REPORTING_ZONE).replace(day=1)
    offered = {add_months(present, -back) for back in range(MONTHS)} | {month}
    return {
        "section": "close",
        "month": month,
        "month_name": f"{month:%B %Y}",
        "months": [
            Choice(f"{each:%B %Y}", f"{each:%Y-%m}", each == month)
            for each in sorted(offered, reverse=True)
        ],
    }


def address(name: str, month: date, **more: object) -> str:
    return f"{reverse(name)}?{urlencode({'month': f'{month:%Y-%m}', **more})}"


def figures(month: date, now: datetime) -> dict[str, Any]:
    held = BooksMonth.objects.filter(month=month).first()
    if held and held.state != State.DRAFT:
        return {
            "held": held,
            "is_sent": held.state == State.SENT,
            "statements": address("statements", month),
        }
    ready = readiness.look(month, now)
    return {
        "reopened": held,
        "steps": steps(ready),
        "is_ready": not ready.problems,
        "warnings": ready.warnings,
        "total": total(ready),
        "total_cost": plain(ready.found.allocation.totals.total_cost) if ready.found else "",
    }


def acts(month: date) -> list[dict[str, Any]]:
    """Who did what with the month, the latest first."""
    return [
        {
            "what": versions.ACTS[each.action],
            "version": each.subject.rpartition(" ")[2],
            "by": each.actor,
            "at": each.at,
            "more": each.reason or each.after.get("sent_to", ""),
        }
        for each in versions.acts(month)
    ]


def total(ready: Readiness) -> str:
    found = ready.found
    if found is None:
        return ""
    return formats.money_long(found.allocation.totals.total_cost, found.currency)


def steps(ready: Readiness) -> list[Step]:
    month = ready.month
    named = {each.name: each.words for each in (*ready.problems, *ready.warnings)}
    period = urlencode({"period": f"{month:%Y-%m}"})
    unowned = f"{reverse('unattributed')}?{period}"
    return [
        stop(named, ("over", "order", "before"), "The month is over, and it is its turn",
             "It is over, and every month before it in the books is closed.",
             address("statements", month), "Statements"),
        stop(named, ("pending", "operations", "differing"), "Every event is in the figures",
             "Nothing waits, and nothing is being rated again.", reverse("ingest"), "Ingest"),
        look(named, "unchecked", "Figures are compared with the events",
             "Every day is compared.", reverse("settings-operations"), "Operations"),
        look(named, "unpriced", "Every request has a price",
             "Every request that no paid capacity covers has one.",
             reverse("prices-unpriced"), "Give prices"),
        *([look(named, "rates", "Exchange rates are imported", "",
                reverse("settings-exchange-rates"), "Import rates")]
          if "rates" in named else []),
        look(named, "unattributed", "Every cost has a cost center",
             "At least nine tenths of the cost have one.", unowned, "Give cost centers"),
        Step("What is paid beside requests is entered", beside(ready), "check",
             reverse("settings-cost-items"), "Cost items"),
        Step("Providers billed the same", "Only people know whether a bill is right.", "check",
             reverse("reconcile"), "Reconcile"),
        *([look(named, "beginning", "The books begin", "", "", "")]
          if "beginning" in named else []),
        Step("The draft looks right", f"It comes to {total(ready) or 'nothing'}.", "check",
             address("allocation", month), "See who bears what"),
    ]  # fmt: skip


def stop(
    named: Mapping[str, str], names: tuple[str, ...], title: str, well: str, href: str, link: str
) -> Step:
    words = " ".join(named[name] for name in names if name in named)
    return Step(title, words or well, "stop" if words else "done", href, link)


def look(named: Mapping[str, str], name: str, title: str, well: str, href: str, link: str) -> Step:
    words = named.get(name, "")
    return Step(
        title, words or well, "look" if words else "done", href, link, name if words else ""
    )


def beside(ready: Readiness) -> str:
    """Whether that is all, nobody but people can know."""
    found = ready.found
    items = dict.fromkeys(each.item for each in found.charges) if found else {}
    names = [found.items[item].draft.name for item in items] if found else []
    if not names:
        return "There is nothing: no seat, platform, commitment, fleet, credit or tax. Is that so?"
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"In it: {', '.join(names[:6])}{more}. Is anything missing?"
