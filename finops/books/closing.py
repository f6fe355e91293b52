"""Closing a month, having it reopened, and saying that its statements went out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from finops import audit, locks
from finops.books import frozen, months, readiness, usage, waiting
from finops.books.months import State
from finops.books.readiness import Finding, Readiness
from finops.cost_items.table import plain
from finops.locks import Lock
from finops.models import BooksMonth, StatementVersion
from finops.organisation.stored import Act, log

LONGEST = 2_000
MOST_DIGITS = 100
CHANGED = "The month comes to {} now, and not to {} as it was looked at: look again, then close."


def close(
    month: date, act: Act, *, acknowledged: Collection[str] = (), total_cost: Decimal | None = None
) -> StatementVersion:
    """Freeze the month as it is at this moment. Raises ValidationError where something stands
    against it, where a warning was not acknowledged, or where it comes to something else than the
    `total_cost` that was looked at; and as cost_items.of_month."""
    with locks.held(Lock.BOOKS, Lock.COST_ITEMS, Lock.OWNERSHIP), waiting.one_moment():
        ready = readiness.look(month, act.at)
        if ready.problems or ready.found is None:
            raise ValidationError({"month": [each.words for each in ready.problems]})
        if missing := [each for each in ready.warnings if each.name not in acknowledged]:
            raise ValidationError({"acknowledged": [asked(each) for each in missing]})
        total = ready.found.allocation.totals.total_cost
        if total_cost is not None and total_cost != total:
            raise ValidationError({"total_cost": CHANGED.format(plain(total), plain(total_cost))})
        return freeze(ready, act)


def looked_at(given: object) -> Decimal | None:
    """The total cost that somebody saw, as told; None for nothing. Raises ValidationError."""
    if given in (None, ""):
        return None
    try:
        found = Decimal(given) if isinstance(given, str) else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found.adjusted()) > MOST_DIGITS:
        raise ValidationError({"total_cost": 'Write the total as it was read, such as "12.5".'})
    return found


def asked(warning: Finding) -> str:
    return f"Acknowledge “{warning.name}”: {warning.words}"


def freeze(ready: Readiness, act: Act) -> StatementVersion:
    assert ready.found is not None
    month = ready.month
    held = BooksMonth.objects.filter(month=month).first() or BooksMonth(month=month, version=0)
    held.version += 1
    held.state = State.CLOSED
    held.save()
    made = StatementVersion(
        month=month,
        version=held.version,
        closed_at=act.at,
        closed_by=act.by.get_username(),
        warnings={each.name: each.words for each in ready.warnings},
    )
    frozen.write(made, replace(ready.found, status="closed"))
    usage.freeze(made, settings.REPORTING_ZONE)
    if problems := frozen.problems_of(made):
        raise RuntimeError(f"the statement reads otherwise than it was written: {problems}")
    total = plain(ready.found.allocation.totals.total_cost)
    after = {"checksum": made.checksum, "total_cost": total, "acknowledged": made.warnings}
    log("books.close", name_of(month, held.version), act, after=after)
    return made


def ask_reopening(month: date, reason: str, act: Act) -> BooksMonth:
    """Another person has to agree. Raises ValidationError."""
    reason = text_of("reason", reason, "Say why the month has to be open again.")
    with transaction.atomic():
        held = closed_month(month)
        if held.reopen_asked_at:
            raise ValidationError({"month": f"{held.reopen_asked_by} has asked for that already."})
        held.reopen_asked_at, held.reopen_asked_by = act.at, act.by.get_username()
        held.reopen_reason = reason
        held.save()
        record("books.ask_reopening", held, act, reason)
    return held


def withdraw_reopening(month: date, act: Act) -> BooksMonth:
    """It stays closed. Raises ValidationError where nobody asked."""
    with transaction.atomic():
        held = asked_month(month)
        record("books.keep_closed", held, act, held.reopen_reason)
        forget_asking(held)
        held.save()
    return held


def reopen(month: date, act: Act) -> BooksMonth:
    """Agree to what another person has asked for: the month is a draft again, and what is closed
    next is another version. Raises ValidationError."""
    with transaction.atomic():
        held = asked_month(month)
        if held.reopen_asked_by == act.by.get_username():
            raise ValidationError(
                {"month": "Another person than the one who asked has to agree to it."}
            )
        record("books.reopen", held, act, held.reopen_reason, asked_by=held.reopen_asked_by)
        forget_asking(held)
        held.state, held.sent_at, held.sent_by, held.sent_to = State.DRAFT, None, "", ""
        held.save()
    return held


def mark_sent(month: date, to: str, act: Act) -> BooksMonth:
    """The statements went out to these people. Raises ValidationError."""
    to = text_of("sent_to", to, "Say whom the statements went to.")
    with transaction.atomic():
        held = closed_month(month)
        if held.reopen_asked_at:
            words = f"{held.reopen_asked_by} asks to have it opened again: decide that first."
            raise ValidationError({"month": words})
        before = {"sent_to": held.sent_to} if held.sent_to else {}
        held.state, held.sent_at, held.sent_by = State.SENT, act.at, act.by.get_username()
        held.sent_to = to
        held.save()
        log("books.send", name_of(month, held.version), act, before=before, after={"sent_to": to})
    return held


def closed_month(month: date) -> BooksMonth:
    """Until the transaction ends, no one else's act concerns a month."""
    locks.hold(Lock.BOOKS)
    held = months.closed_as(month)
    if held is None:
        raise ValidationError({"month": f"{month:%B %Y} is not closed."})
    return held


def asked_month(month: date) -> BooksMonth:
    held = closed_month(month)
    if not held.reopen_asked_at:
        raise ValidationError({"month": f"Nobody has asked to have {month:%B %Y} reopened."})
    return held


def forget_asking(held: BooksMonth) -> None:
    held.reopen_asked_at, held.reopen_asked_by, held.reopen_reason = None, "", ""


def text_of(field: str, text: str, missing: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({field: missing})
    if len(text) > LONGEST or "\x00" in text:
        raise ValidationError({field: f"Write plain text of at most {LONGEST:,} characters."})
    return text


def record(action: str, held: BooksMonth, act: Act, reason: str, **before: str) -> None:
    subject = name_of(held.month, held.version)
    audit.record(
        action, subject, at=act.at, by=act.by, address=act.address, reason=reason, before=before
    )


def name_of(month: date, version: int) -> str:
    return f"{month:%Y-%m} version {version}"
