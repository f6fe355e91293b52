"""What leaves a page as a file: the list of a month's exports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from finops import access
from finops.books.months import State
from finops.cost_items import MonthAllocation
from finops.exports import accounts
from finops.models import BooksMonth, StatementVersion


class Offer(NamedTuple):
    """`about` says in a few words what it is for; `is_file` is False of a page on the way."""

    label: str
    href: str
    about: str
    is_file: bool = True


def of_month(request: HttpRequest, found: MonthAllocation) -> list[Offer]:
    """Of the month as it stands, for what this reader may call."""
    month = found.month
    files = (
        ("api-allocation-csv", "CSV", "every line, to the last digit"),
        ("api-allocation-xlsx", "Excel", "summary, lines, and why"),
        ("api-allocation-focus-csv", "FOCUS", "the FinOps standard's columns, day by day"),
        ("api-allocation-json", "JSON", "for programs"),
    )
    offers = [Offer(label, reverse(name, args=[month]), about) for name, label, about in files]
    if access.allows("api-allocation-journal", "GET", request.user):
        offers += journal_of(month, list(found.allocation.by_cost_center()))
    offers.append(requests_of(month))
    if access.allows("settings-exports", "GET", request.user):
        address = reverse("settings-exports")
        offers.append(Offer("On schedule", address, "mailed, or put into a bucket", is_file=False))
    return offers


def of_version(statement: StatementVersion, codes: list[str]) -> list[Offer]:
    """Of a closed month's version; journals are those of its newest one."""
    given = urlencode({"month": f"{statement.month:%Y-%m}", "version": statement.version})
    offers = [
        Offer("CSV", f"{reverse('statement-csv')}?{given}", "the file that was closed"),
        Offer("Excel", f"{reverse('statement-xlsx')}?{given}", "summary, lines, and why"),
    ]
    held = BooksMonth.objects.filter(month=statement.month, version=statement.version)
    if held.exclude(state=State.DRAFT).exists():
        offers += journal_of(statement.month, codes)
    return [*offers, requests_of(statement.month)]


def requests_of(month: date, **filters: str) -> Offer:
    query = urlencode({"period": f"{month:%Y-%m}", **filters})
    address = f"{reverse('api-requests-csv')}?{query}"
    return Offer("Requests", address, "each one, as it is rated and owned now")


def journal_of(month: date, codes: list[str]) -> Iterator[Offer]:
    """What is to be booked; of a month that was closed before, since which version."""
    held = BooksMonth.objects.filter(month=month).first()
    is_closed = held is not None and held.state != State.DRAFT
    address = reverse("api-allocation-journal", args=[month])
    if missing := accounts.missing_in(month, codes):
        named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if missing[3:] else "")
        yield Offer("Journal", reverse("settings-journal"), f"needs accounts first: {named}", False)
        return
    earlier = held.version - (1 if is_closed else 0) if held else 0
    if not earlier:
        yield Offer("Journal", address, "lines for the general ledger")
        return
    yield Offer(
        f"Journal since version {earlier}",
        f"{address}?since={earlier}",
        f"what has changed, where version {earlier} is booked",
    )
    yield Offer("Journal, whole", f"{address}?since=0", "only where nothing is booked")
