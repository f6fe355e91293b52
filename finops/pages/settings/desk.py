"""The first page of the desk: every section, and what holds there now."""

from __future__ import annotations

import calendar
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from finops import access, operations
from finops.anomalies import severities
from finops.channels import keeping
from finops.exports import accounts
from finops.models import (
    BusinessMetric,
    CostCenter,
    CostItem,
    ExchangeFixing,
    ExportSchedule,
    OwnershipRule,
)
from finops.organisation import limits, retention, tags, tiers
from finops.organisation.calendar import fiscal_first_month
from finops.organisation.stored import Act
from finops.pages.requester import address_of, signed_in
from ingest.cardinality import DEFAULT_LIMITS


class Section(NamedTuple):
    """`name` is its address in urls.py; `about` says in a sentence what is decided there."""

    label: str
    name: str
    about: str


SECTIONS = (
    Section(
        "Latency tiers", "settings-tiers", "How fast requests are, and how fast they should be."
    ),
    Section(
        "Ownership",
        "settings-ownership",
        "Whose usage is whose: cost centers, and rules from which day on.",
    ),
    Section(
        "Cost items",
        "settings-cost-items",
        "What is paid beside requests, and who bears it: seats, overhead, capacity, taxes.",
    ),
    Section(
        "Journal",
        "settings-journal",
        "Accounts of the general ledger that a month is booked to, besides cost centers' own.",
    ),
    Section(
        "Scheduled exports",
        "settings-exports",
        "A month's files that are mailed or put into a bucket by themselves.",
    ),
    Section(
        "Exchange rates",
        "settings-exchange-rates",
        "What another currency is worth, by day: for prices and amounts that are not in ours.",
    ),
    Section(
        "Business metrics",
        "settings-business-metrics",
        "What the business counts, to set cost against: tickets, orders, active users, revenue.",
    ),
    Section("Tags", "settings-tags", "Which tags of events figures can be grouped by."),
    Section(
        "Limits", "settings-limits", "How many values a dimension may have before they overflow."
    ),
    Section("Retention", "settings-retention", "How long single events are kept; figures stay."),
    Section(
        "Calendar",
        "settings-calendar",
        "The reporting time zone, the currency and the month in which the fiscal year begins.",
    ),
    Section(
        "Operations",
        "settings-operations",
        "Ratings again, rebuilds, drops and loads: what runs now, how far it is, what ran before.",
    ),
    Section(
        "Channels",
        "channels",
        "Where alerts and summaries go: e-mail, Slack, webhooks and other services.",
    ),
    Section(
        "Anomalies",
        "settings-anomalies",
        "From how much money at stake on people are told of them.",
    ),
    Section("Privacy", "settings-privacy", "Names of users as hashes; one user's history erased."),
)


@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    found = context(request, "settings")
    now = in_force()
    found["states"] = [(each, now.get(each.name, "")) for each in found["sections"]]
    return render(request, "settings/page.html", found)


def in_force() -> dict[str, str]:
    """What holds now, in a line for each section that has one."""
    held, kept = tiers.everything(), retention.in_force(settings.EVENT_RETENTION_DAYS)
    others = [name for name, limit in limits.in_force().items() if limit != DEFAULT_LIMITS[name]]
    activated = [each.key for each in tags.activated()]
    month = calendar.month_name[fiscal_first_month()]
    return {
        "settings-tiers": ", ".join(each.name for each in held) or "none",
        "settings-ownership": owned(),
        "settings-cost-items": f"{CostItem.objects.filter(followed_by=None).count():,} in all",
        "settings-journal": booked_to(),
        "settings-exports": scheduled_exports(),
        "settings-exchange-rates": exchange(),
        "settings-business-metrics": f"{BusinessMetric.objects.count():,} in all",
        "settings-tags": ", ".join(activated) or "none",
        "settings-limits": "not the default: "
        + ", ".join(limits.NAMES[name].lower() for name in others)
        if others
        else "the defaults",
        "settings-retention": f"{kept:,} day{'s' if kept != 1 else ''}",
        "settings-operations": running(),
        "channels": channels_in_use(),
        "settings-anomalies": anomaly_alerts(),
        "settings-calendar": f"{settings.REPORTING_ZONE.key}, {settings.CURRENCY}; "
        f"the fiscal year begins in {month}",
    }


def scheduled_exports() -> str:
    held = ExportSchedule.objects.filter(removed_at=None)
    paused = held.exclude(paused_at=None).count()
    text = f"{held.count():,} in all"
    return f"{text}, {paused} of them paused" if paused else text


def owned() -> str:
    centers, rules = CostCenter.objects.count(), OwnershipRule.objects.count()
    if not centers:
        return "no cost center yet"
    return (
        f"{centers:,} cost center{'s' if centers != 1 else ''}, "
        f"{rules:,} rule{'s' if rules != 1 else ''}"
    )


def booked_to() -> str:
    clearing = accounts.general().clearing
    return f"cleared by {clearing}" if clearing else "no clearing account yet"


def exchange() -> str:
    newest = ExchangeFixing.objects.filter(superseded_at=None).first()
    return "none" if newest is None else f"known until {newest.day.isoformat()}"


def anomaly_alerts() -> str:
    held = severities.in_force()
    if not held.is_on:
        return "nobody is told"
    return f"from {held.least_money:,f} {settings.CURRENCY} and {held.least_percent:f} %"


def channels_in_use() -> str:
    """ "" where there are none."""
    held = keeping.everything()
    stopped = sum(1 for each in held if each.disabled_at)
    text = f"{len(held)} channel{'s' if len(held) != 1 else ''}" if held else "none"
    return f"{text}, {stopped} of them disabled" if stopped else text


def running() -> str:
    """ "" while nothing does."""
    return ", ".join(
        f"{count} {state}" for (_, state), count in sorted(operations.by_state().items())
    )


def context(request: HttpRequest, tab: str, **more: Any) -> dict[str, Any]:
    """What every page of the desk is made of; `tab` is the address of its section."""
    return {
        "section": "settings",
        "tab": tab,
        "sections": [each for each in SECTIONS if access.allows(each.name, "GET", request.user)],
        "may_change": access.allows(tab, "POST", request.user),
        "zone": settings.REPORTING_ZONE.key,
        **more,
    }


def act(request: HttpRequest, at: Any) -> Act:
    return Act(signed_in(request), at, address_of(request))
