"""The pages a reader may open, for the bar at the top of each."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest

from finops import access


class Entry(NamedTuple):
    """`section` is what a page's context says of itself; `name` its address in urls.py."""

    label: str
    section: str
    name: str


FIGURES = (
    Entry("Overview", "overview", "overview"),
    Entry("Explore", "explore", "explore"),
    Entry("Requests", "requests", "requests"),
    Entry("Budgets", "budgets", "budgets"),
)
# What the figures mean, and will be.
ANALYSES: tuple[Entry, ...] = (
    Entry("Anomalies", "anomalies", "anomalies"),
    Entry("Explain", "explain", "explain"),
    Entry("Users", "users", "users"),
    Entry("Forecast", "forecast", "forecast"),
)
# Who bears what, month by month: the first stands in the bar, all of them above each other's pages.
FINANCE: tuple[Entry, ...] = (
    Entry("Allocation", "allocation", "allocation"),
    Entry("Reconcile", "reconcile", "reconcile"),
    Entry("Close", "close", "close"),
    Entry("Statements", "statements", "statements"),
    Entry("Unit economics", "unit-economics", "unit-economics"),
)
# In this order: alerts, prices, ingest, keys, people, settings, audit.
DESKS: tuple[Entry, ...] = (
    Entry("Alerts", "alerts", "alerts"),
    Entry("Prices", "prices", "prices"),
    Entry("Ingest", "ingest", "ingest"),
    Entry("Keys", "keys", "keys"),
    Entry("People", "people", "people"),
    Entry("Settings", "settings", "settings"),
    Entry("Audit", "audit", "audit"),
)


def navigation(request: HttpRequest) -> dict[str, list[Any]]:
    """A context processor."""
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {"figures": [], "analyses": [], "finance": [], "desks": [], "finance_sections": []}

    def open_to_reader(entries: tuple[Entry, ...]) -> list[Entry]:
        return [each for each in entries if access.allows(each.name, "GET", request.user)]

    return {
        "figures": open_to_reader(FIGURES),
        "analyses": open_to_reader(ANALYSES),
        "finance": open_to_reader(FINANCE),
        "finance_sections": [each.section for each in FINANCE],
        "desks": open_to_reader(DESKS),
    }
