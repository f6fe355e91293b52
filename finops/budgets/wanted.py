"""What somebody asks for where a budget is short: read from a form or from JSON, each wrong field
named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from finops.budgets import fields
from finops.budgets.unused import unused
from finops.models import Budget
from finops.periods import DAY as WRITTEN_DAY
from finops.periods import InvalidQuery, local_day, parse_instant, start_of_day
from finops.query import Filter

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`until` is the first moment at which it holds no more; `value` is one of the dimension that
    the budget is for each of, "" for the whole budget or every value."""

    amount: Decimal
    until: datetime
    reason: str
    value: str = ""


def read(given: Mapping[str, object], budget: Budget, now: datetime, zone: ZoneInfo) -> Wanted:
    """From a form or from JSON. A day as `until` is the last one on which it holds. Raises
    ValidationError with a message for every wrong field."""
    readers: Mapping[str, Callable[[object], Any]] = {
        "amount": _amount,
        "until": lambda written: _until(written, now, zone),
        "reason": _reason,
        "value": lambda written: _value(written, budget),
    }
    wrong = {name: f"There is no such field; known are {', '.join(readers)}." for name in given}
    wrong = {name: said for name, said in wrong.items() if name not in readers}
    found = {}
    for name, reader in readers.items():
        try:
            found[name] = reader(given.get(name))
        except ValidationError as error:
            wrong[name] = error.messages[0]
    if wrong:
        raise ValidationError(wrong)
    return Wanted(**found)


def _amount(given: object) -> Decimal:
    amount = fields.positive(given)
    if amount is None:
        raise ValidationError("Write how much more is needed.")
    return amount


def _until(given: object, now: datetime, zone: ZoneInfo) -> datetime:
    written = fields.text(given)
    if not written:
        raise ValidationError("Write the last day on which it holds, such as 2026-11-30.")
    try:
        instant = parse_instant("until", written, zone)
        if WRITTEN_DAY.fullmatch(written):
            instant = start_of_day(local_day(instant, zone) + timedelta(days=1), zone)
    except InvalidQuery as error:
        raise ValidationError(f"{error.message[:1].upper()}{error.message[1:]}.") from None
    if instant <= now:
        raise ValidationError("Write a day that is not over yet.")
    if instant > now + LONGEST:
        raise ValidationError("Write a day within a year; for longer, change the budget.")
    return instant


def _reason(given: object) -> str:
    reason = fields.note(given)
    if not reason:
        raise ValidationError("Say what it is needed for: it stays on record.")
    return reason


def _value(given: object, budget: Budget) -> str:
    value = fields.text(given)
    if value and not budget.for_each:
        raise ValidationError("This budget is one for all: leave it out.")
    if value:
        [missing] = unused([Filter(budget.for_each, (value,))])
        for each in missing:
            raise ValidationError(each.said(with_near=False))
    return value
