"""Single values of cost items as people write them. What cannot be read raises ValidationError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from finops.budgets import fields
from finops.budgets.fields import choice, number, positive
from finops.exchange import is_currency
from finops.periods import DAY, FIRST_YEAR, LAST_YEAR

OPTIONS = {"on_demand": "On demand", "reserved": "Reserved", "spot": "Spot"}
MOST_PERCENT, MOST_GPUS = Decimal(1_000), Decimal(1_000_000)
MOST_SIZES, MOST_CENTERS = 500, 10_000
LONGEST, LONGEST_ACCOUNT = 200, 100


@dataclass(frozen=True, slots=True)
class Size:
    """From that day on there are so many GPUs of a purchase option, at so much an hour each."""

    day: date
    count: Decimal
    hour_price: Decimal
    option: str

    def written(self) -> dict[str, str]:
        return {
            "day": self.day.isoformat(),
            "count": f"{self.count.normalize():f}",
            "hour_price": f"{self.hour_price.normalize():f}",
            "option": self.option,
        }


def text(given: object) -> str:
    found = fields.text(given)
    if len(found) > LONGEST:
        raise ValidationError(f"Write at most {LONGEST} characters.")
    return found


def account(given: object) -> str:
    found = text(given)
    if len(found) > LONGEST_ACCOUNT:
        raise ValidationError(f"Write at most {LONGEST_ACCOUNT} characters.")
    return found


def currency(given: object) -> str:
    """That of the figures where none is given."""
    found = fields.text(given).upper() or settings.CURRENCY
    if not is_currency(found):
        raise ValidationError("Write the code of a currency, such as USD or EUR.")
    return found


def name(given: object) -> str:
    found = text(given)
    if not found:
        raise ValidationError("Write a name, as the cost centers will read it.")
    return found


def day(given: object) -> date | None:
    """None for nothing."""
    if given is None or given == "":
        return None
    if isinstance(given, str) and DAY.fullmatch(given.strip()):
        try:
            found = date.fromisoformat(given.strip())
        except ValueError:
            found = date.min
        if FIRST_YEAR <= found.year < LAST_YEAR:
            return found
    raise ValidationError("Write a day like 2026-10-01.")


def needed_day(given: object) -> date:
    found = day(given)
    if found is None:
        raise ValidationError("Write the first day on which it counts, like 2026-10-01.")
    return found


def percent(given: object) -> Decimal | None:
    found = positive(given)
    if found is not None and found > MOST_PERCENT:
        raise ValidationError(f"Write at most {MOST_PERCENT} percent.")
    return found


def sizes(given: object) -> tuple[Size, ...]:
    """In the order of their days."""
    if given in (None, ""):
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_SIZES:
        raise ValidationError(f"Write a list of at most {MOST_SIZES} sizes.")
    found: list[Size] = []
    wrong: dict[str, str] = {}
    for place, each in enumerate(given):
        try:
            found.append(size(each))
        except ValidationError as error:
            wrong[f"sizes.{place}"] = error.messages[0]
    if wrong:
        raise ValidationError(wrong)
    if len({(each.day, each.option) for each in found}) < len(found):
        raise ValidationError("One purchase option has two sizes from the same day on.")
    return tuple(sorted(found, key=lambda each: (each.day, each.option)))


def size(given: Any) -> Size:
    if not isinstance(given, Mapping) or not set(given) <= {"day", "count", "hour_price", "option"}:
        raise ValidationError("A size has a day, a count, an hour_price and an option.")
    first, count, price = day(given.get("day")), number(given.get("count")), given.get("hour_price")
    if first is None:
        raise ValidationError("Write the day from which on there are so many, like 2026-10-01.")
    if count is None or not 0 <= count <= MOST_GPUS:
        raise ValidationError("Write how many GPUs there are, 0 where there are none any more.")
    paid = number(price)
    if paid is None or paid < 0:
        raise ValidationError("Write what one GPU costs an hour.")
    return Size(first, count, paid, choice(tuple(OPTIONS), "on_demand")(given.get("option")))


def weights(given: object) -> dict[str, Decimal]:
    """Cost center → percent or weight."""
    if given in (None, ""):
        return {}
    if not isinstance(given, Mapping) or len(given) > MOST_CENTERS:
        raise ValidationError('Write them as {"CC-1": "60", "CC-2": "40"}.')
    found: dict[str, Decimal] = {}
    for code, weight in given.items():
        share = number(weight)
        if share is None or share < 0:
            raise ValidationError(f"{str(code)[:80]}: write a number that is not below 0.")
        found[center(code)] = share
    return dict(sorted(found.items()))


def targets(given: object) -> tuple[str, ...]:
    """Cost centers, each once, sorted."""
    if given in (None, ""):
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_CENTERS:
        raise ValidationError("Write a list of cost centers.")
    return tuple(sorted({center(each) for each in given}))


def center(given: object) -> str:
    found = text(given)
    if not found:
        raise ValidationError("A cost center has no name.")
    return found
