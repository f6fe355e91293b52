"""The price ledger in the database: append-only, every line with its source and its dates.

A line is never changed. What no longer holds is superseded (it stays, and events rated with it
keep pointing at it), what is new is appended, and a line that is equal stays as it is, so that
ids are stable from one catalogue to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet

from finops import price_holds
from finops.models import Price
from finops.pricing import catalog, sanity
from finops.pricing.lines import BUCKETS, TOKEN_BUCKETS, PriceLine, UnitPrices
from finops.pricing.terms import complete, unit_price
from finops.sql import statement

# Processes starting together take turns, or each would append the whole catalogue.
SYNC_LOCK = 0x_FA27_0001
# Who supersedes a catalogue line.
CATALOG = "public catalogue"
YEARS = range(1970, 3000)
# A line that is not saved yet will have the latest id of all, as far as the column can say one.
UNSAVED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CatalogSync:
    """What bringing the catalogue into the ledger did, in lines."""

    added: int
    superseded: int
    unchanged: int
    held: int  # prices that wait for somebody's decision


def version() -> int:
    """A number that grows with every line added or superseded, whatever order they commit in."""
    with connection.cursor() as cursor:
        cursor.execute(statement("price_version"))
        (count,) = cursor.fetchone()
    return int(count)


def changed_at() -> datetime | None:
    """When the ledger or the exchange rates last changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement("prices_changed_at"))
        (at,) = cursor.fetchone()
    return at  # type: ignore[no-any-return]


def current_lines() -> list[PriceLine]:
    """Every line in force, past and future dates included."""
    return [line_of(price) for price in Price.objects.filter(superseded_at=None).order_by("id")]


def lines_by_id(ids: Iterable[int]) -> dict[int, PriceLine]:
    """Lines by id, superseded ones too: what events were rated with."""
    return {price.pk: line_of(price) for price in Price.objects.filter(pk__in=set(ids))}


def sync_catalog(now: datetime, lines: Iterable[PriceLine] | None = None) -> CatalogSync:
    """Bring a catalogue, the installed one, into the ledger. Running it again changes nothing.

    What looks like an error of the catalogue is held for review and not applied: see
    finops.pricing.sanity.
    """
    listed = list(catalog.lines() if lines is None else lines)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
        in_force = Price.objects.filter(kind=Price.Kind.CATALOG, superseded_at=None)
        current = [line_of(price) for price in in_force]
        applied, held = sanity.sift(listed, price_holds.knowledge(current, now), now)
        wanted = {_identity(line): line for line in applied}
        known = {_identity(line): line.id for line in current}
        gone = [pk for identity, pk in known.items() if identity not in wanted]
        new = [price_of(line) for identity, line in wanted.items() if identity not in known]
        Price.objects.filter(pk__in=gone).update(superseded_at=now, superseded_by=CATALOG)
        Price.objects.bulk_create(new, batch_size=1000)
        waiting = price_holds.keep(held, now)
    return CatalogSync(len(new), len(gone), len(known) - len(gone), waiting)


def _identity(line: PriceLine) -> tuple[object, ...]:
    """What makes two catalogue lines the same line; the catalogue's own version does not."""
    return (
        line.provider,
        line.model,
        line.service_tier,
        line.context_over,
        line.daily_from,
        line.daily_to,
        line.effective_from,
        line.effective_to,
        line.prices,
        line.note,
    )


def line_of(price: Price) -> PriceLine:
    return PriceLine(
        id=price.pk,
        prices=UnitPrices(*(getattr(price, f"{bucket}_price") for bucket in BUCKETS)),
        **{name: getattr(price, name) for name in _SHARED_FIELDS},
    )


def price_of(line: PriceLine) -> Price:
    return Price(
        **{f"{bucket}_price": price for bucket, price in line.prices._asdict().items()},
        **{name: getattr(line, name) for name in _SHARED_FIELDS},
    )


_SHARED_FIELDS = (
    *("kind", "provider", "model", "fleet", "cache", "service_tier", "context_over"),
    *("daily_from", "daily_to", "effective_from", "effective_to", "discount_percent"),
    *("source", "author", "note", "currency"),
)


def add(terms: Mapping[str, object], *, author: str, zone: tzinfo) -> Price:
    """Append a contract, self-hosted or cache-hit line.

    `terms` are columns of the price table; prices also as `<bucket>_price_per_million` and
    `gpu_hour_price`; dates without a time are midnights of `zone`. Raises ValidationError, its
    message_dict naming each wrong field.
    """
    price = draft(terms, author=author, zone=zone)
    price.save(force_insert=True)
    return price


def draft(terms: Mapping[str, object], *, author: str, zone: tzinfo) -> Price:
    """The line that `add` would append, not saved."""
    price = Price(author=author, source="entered by hand", currency=settings.CURRENCY)
    columns, unread = _columns(terms, zone)
    for name, value in columns.items():
        setattr(price, name, value)
    problems: dict[str, list[str]] = {}
    if unread:
        problems[NON_FIELD_ERRORS] = [f"{n}: {p}" for n, p in unread.items()]
    problems |= _problems_of_fields(price)
    for name, messages in _problems_of_line(price, [*unread, *problems]).items():
        problems.setdefault(name, messages)
    if problems:
        raise ValidationError(problems)
    completed = complete(price.kind, line_of(price).prices)
    for bucket, amount in completed._asdict().items():
        setattr(price, f"{bucket}_price", amount)
    return price


def supersede(pk: int, now: datetime, by: str = "") -> None:
    """End a line for good, as `by` asked. Raises Price.DoesNotExist unless it is in force and not
    catalogue."""
    if not _entered(pk).update(superseded_at=now, superseded_by=by):
        raise _gone(pk)


def refuse_gone(pk: int) -> None:
    """Raises what `supersede` would."""
    if not _entered(pk).exists():
        raise _gone(pk)


def _entered(pk: int) -> QuerySet[Price]:
    lines = Price.objects.filter(pk=pk, superseded_at=None)
    return lines.exclude(kind=Price.Kind.CATALOG)


def _gone(pk: int) -> Price.DoesNotExist:
    return Price.DoesNotExist(f"{pk} is no line in force that was entered by hand.")


def _problems_of_fields(price: Price) -> dict[str, list[str]]:
    try:
        price.clean_fields()  # clean() compares what this has parsed
    except ValidationError as wrong:
        return wrong.message_dict
    return {}


def _problems_of_line(price: Price, wrong: Iterable[str]) -> dict[str, list[str]]:
    """What is wrong with the line as a whole, were the fields that are wrong right by themselves:
    a price that cannot be read is no missing one."""
    supposed = copy(price)
    for name in wrong:
        column = name.removesuffix("_per_million").replace("gpu_hour", "gpu_second")
        if column.endswith("_price") and column in _WRITABLE_FIELDS:
            setattr(supposed, column, Decimal(0))
        elif column == "discount_percent":
            supposed.discount_percent = Decimal(1)
        elif column in {"context_over", "kind"}:
            setattr(supposed, column, 0 if column == "context_over" else price.kind)
        elif column in {"effective_from", "effective_to"}:
            setattr(supposed, column, None)
        elif column in {"daily_from", "daily_to"}:
            supposed.daily_from = supposed.daily_to = None
    try:
        supposed.clean()
    except ValidationError as found:
        return {name: each for name, each in found.message_dict.items() if name not in wrong}
    return {}


def _columns(terms: Mapping[str, object], zone: tzinfo) -> tuple[dict[str, object], dict[str, str]]:
    """Columns with what was read, and the terms that could not be, with why."""
    columns: dict[str, object] = {}
    problems: dict[str, str] = {}
    for name, value in terms.items():
        try:
            column, parsed = _column(name, value, zone)
        except ArithmeticError:
            problems[name] = "The number is too large."
        except ValueError as problem:
            problems[name] = str(problem)
        else:
            if column in columns:
                problems[name] = f"Gives {column} a second time."
            columns[column] = parsed
    return columns, problems


def _column(name: str, value: object, zone: tzinfo) -> tuple[str, object]:
    if name.endswith(("_per_million", "_hour_price")):
        converted = unit_price(name, _decimal(value))
        if converted is None:
            raise ValueError(_no_such_field(name))
        return converted
    if name not in _WRITABLE_FIELDS:
        raise ValueError(_no_such_field(name))
    if name.startswith("effective_") and isinstance(value, str):
        return name, _instant(value, zone)
    if isinstance(value, float):
        raise ValueError("Write the number as a string, or it is not exact.")
    return name, value


def _no_such_field(name: str) -> str:
    close = get_close_matches(name, sorted(FIELDS), n=1)
    return f"No such field; is it {close[0]}?" if close else "No such field."


def _decimal(value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("Not a number.") from None
    if not number.is_finite():
        raise ValueError("Not a number.")
    return number


def _instant(value: str, zone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("Write a date or an RFC 3339 instant.") from None
    # In another zone the ends of the calendar lie beyond it: one such line would stop every reader.
    if at.year not in YEARS:
        raise ValueError(f"Write a year from {YEARS[0]} to {YEARS[-1]}, or leave it empty.")
    if at.tzinfo is not None:
        return at
    if len(value) > len("2026-10-01"):
        raise ValueError("Write the time's zone too.")
    return at.replace(tzinfo=zone)


_WRITABLE_FIELDS = frozenset(
    {*_SHARED_FIELDS, *(f"{bucket}_price" for bucket in BUCKETS), "currency"} - {"author"}
)
# Every name that `add` takes.
FIELDS = _WRITABLE_FIELDS | {
    *(f"{bucket}_price_per_million" for bucket in TOKEN_BUCKETS),
    "gpu_hour_price",
}
