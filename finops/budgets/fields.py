"""Single values as people write them, in a form or in JSON. What cannot be read raises
ValidationError with a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError

from finops.periods import FIRST_YEAR, LAST_YEAR, MONTH
from finops.query import is_text

LONGEST_NOTE = 2_000
# As the columns hold them: fourteen digits before the point and six behind.
LARGEST = Decimal(10) ** 14
DECIMALS = 6


def text(given: object) -> str:
    """ "" where nothing was written."""
    if given is None:
        return ""
    if not isinstance(given, str) or not is_text(given.strip()):
        raise ValidationError("Write plain text of at most 200 characters.")
    return given.strip()


def note(given: object) -> str:
    if given is None:
        return ""
    is_plain = isinstance(given, str) and not any(
        each == "\x00" or "\ud800" <= each <= "\udfff" for each in given
    )
    if not isinstance(given, str) or not is_plain or len(given) > LONGEST_NOTE:
        raise ValidationError(f"Write plain text of at most {LONGEST_NOTE:,} characters.")
    return given.strip()


def choice(known: Sequence[str], default: str = "") -> Callable[[object], str]:
    """A reader of one of these; of nothing, where there is a default, it makes that."""

    def reader(given: object) -> str:
        chosen = default if given in (None, "") else given
        if not isinstance(chosen, str) or chosen not in known:
            raise ValidationError(f"Write one of {', '.join(known)}.")
        return chosen

    return reader


def number(given: object) -> Decimal | None:
    """Exactly what was written, None for nothing."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    # JSON's numbers come as floats, whose shortest text is what was written.
    written = str(given).strip() if isinstance(given, str | int | float | Decimal) else ""
    try:
        found = Decimal(written)
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(given, bool) or not found.is_finite():
        raise ValidationError("Write a number, such as 1250 or 99.50.")
    if abs(found) >= LARGEST or found != round(found, DECIMALS):
        raise ValidationError(f"Write less than {LARGEST:,}, with at most {DECIMALS} decimals.")
    return found


def positive(given: object) -> Decimal | None:
    found = number(given)
    if found is not None and found <= 0:
        raise ValidationError("Write more than 0.")
    return found


def whole(given: object, least: int, most: int) -> int | None:
    """None for nothing."""
    found = number(given)
    if found is None:
        return None
    if found != found.to_integral_value() or not least <= found <= most:
        raise ValidationError(f"Write a whole number from {least:,} to {most:,}.")
    return int(found)


def month(given: object) -> date:
    """The first day of a month that is written like 2026-10."""
    is_month = isinstance(given, str) and MONTH.fullmatch(given)
    if not is_month or not FIRST_YEAR <= int(str(given)[:4]) < LAST_YEAR:
        raise ValidationError("Write the month like 2026-10.")
    return date.fromisoformat(f"{given}-01")
