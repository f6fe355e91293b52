"""Exchange rates taken in from a file: all of it or nothing, and what is known is not changed.

What a file says again changes nothing. What it says otherwise of a day is refused, unless it is a
correction: then it is another fixing of that day, and the former stays, superseded, as requests
that were rated with it point at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import locks
from finops.exchange import MOST_BYTES, WrongFile, parse
from finops.exchange.ecb import MOST_PROBLEMS, Rates
from finops.locks import Lock
from finops.models import ExchangeFixing
from finops.organisation.stored import Act, log
from finops.query import is_text

ECB = "European Central Bank"
# Somewhere it is tomorrow already.
AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Imported:
    """In days. `completed` had been known in part and have further currencies now."""

    added: int
    completed: int
    corrected: int
    unchanged: int
    first: date
    last: date

    @property
    def is_new(self) -> bool:
        return bool(self.added or self.completed or self.corrected)


@dataclass(frozen=True, slots=True)
class _Change:
    day: date
    rates: dict[str, Decimal]
    former: ExchangeFixing | None
    is_correction: bool


def take(content: bytes, source: str, act: Act, *, corrects: bool = False) -> Imported:
    """Raises ValidationError of `file`, with a message for each cell that is wrong, or `source`."""
    if not is_text(source) or not source.strip() or len(source) > 200:
        raise ValidationError({"source": "Write whose rates they are, at most 200 characters."})
    if len(content) > MOST_BYTES:
        raise ValidationError({"file": f"It is larger than {MOST_BYTES // 2**20} MiB."})
    try:
        rates = parse(content)
    except WrongFile as error:
        raise ValidationError({"file": error.problems}) from error
    if late := [day for day in rates if day > act.at.date() + AHEAD]:
        raise ValidationError({"file": f"{min(late)} is still to come: no rates are known of it."})
    with transaction.atomic():
        locks.hold(Lock.EXCHANGE_RATES)
        changes, problems = _changes(rates, in_force(min(rates), max(rates)), corrects=corrects)
        if problems:
            raise ValidationError({"file": _shortened(problems)})
        done = _written(changes, rates, source.strip(), act)
    return done


def in_force(first: date, last: date) -> dict[date, ExchangeFixing]:
    """By day, both ends included."""
    held = ExchangeFixing.objects.filter(superseded_at=None, day__gte=first, day__lte=last)
    return {each.day: each for each in held}


def _changes(
    rates: Rates, known: Mapping[date, ExchangeFixing], *, corrects: bool
) -> tuple[list[_Change], list[str]]:
    changes, problems = [], []
    for day, said in sorted(rates.items()):
        former = known.get(day)
        held = {name: Decimal(rate) for name, rate in former.rates.items()} if former else {}
        other = [name for name, rate in said.items() if name in held and held[name] != rate]
        if other and not corrects:
            problems += [
                f"{day}, {name}: {held[name]:f} is known already, and the file says "
                f"{said[name]:f}. Requests may be rated with it; import the file as a correction "
                "if it is wrong."
                for name in other
            ]
        elif other or said.keys() - held.keys():
            changes.append(_Change(day, {**held, **said}, former, bool(other)))
    return changes, problems


def _written(changes: list[_Change], rates: Rates, source: str, act: Act) -> Imported:
    by = act.by.get_username()
    former = [each.former.pk for each in changes if each.former]
    ExchangeFixing.objects.filter(pk__in=former).update(superseded_at=act.at, superseded_by=by)
    ExchangeFixing.objects.bulk_create(
        (
            ExchangeFixing(
                day=each.day,
                rates={name: f"{rate:f}" for name, rate in sorted(each.rates.items())},
                source=source,
                imported_at=act.at,
                imported_by=by,
            )
            for each in changes
        ),
        batch_size=1_000,
    )
    done = Imported(
        added=sum(each.former is None for each in changes),
        completed=sum(each.former is not None and not each.is_correction for each in changes),
        corrected=sum(each.is_correction for each in changes),
        unchanged=len(rates) - len(changes),
        first=min(rates),
        last=max(rates),
    )
    if done.is_new:
        log(
            "exchange_rates.import", f"{done.first} to {done.last}, {source}", act, after=told(done)
        )
    return done


def told(done: Imported) -> dict[str, object]:
    return {
        "first": done.first.isoformat(),
        "last": done.last.isoformat(),
        "days_added": done.added,
        "days_completed": done.completed,
        "days_corrected": done.corrected,
        "days_unchanged": done.unchanged,
    }


def in_words(done: Imported) -> str:
    """ "3 days added, 1 corrected, 250 as they were"."""
    counts = (
        (done.added, "added"),
        (done.completed, "with further currencies"),
        (done.corrected, "corrected"),
        (done.unchanged, "as they were"),
    )
    said = [f"{count:,} {what}" for count, what in counts if count]
    return f"Days: {', '.join(said)}."


def _shortened(problems: Iterable[str]) -> list[str]:
    found = list(problems)
    more = len(found) - MOST_PROBLEMS
    return found[:MOST_PROBLEMS] + ([f"{more} more."] if more > 0 else [])
