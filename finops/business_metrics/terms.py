"""What somebody wants a business metric to be: read from a form or from JSON, each wrong field
named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import ValidationError

from finops.budgets import fields
from finops.budgets.drafts import filters_json, read_filters
from finops.models import BusinessMetric
from finops.query import TAG_PREFIX, Filter, is_dimension, parse_filters
from finops.unit_economics import Terms

Read = TypeVar("Read")

FIELDS = (*("key", "name", "unit", "kind", "adds_up", "absent_is_zero", "dimensions", "filters"),)
KEY = re.compile(r"[a-z][a-z0-9_-]{0,59}")
# Columns of a file of values, which no dimension may be called; and so are the ways of saying it.
LONGEST_NAME, LONGEST_UNIT = 200, 40
MOST_DIMENSIONS = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """As models.BusinessMetric. `unit` is one of what is counted: ticket, order, active user."""

    key: str
    name: str
    unit: str
    kind: str
    adds_up: bool
    absent_is_zero: bool
    dimensions: tuple[str, ...]
    filters: tuple[Filter, ...]

    @property
    def named(self) -> set[str]:
        """Every dimension that it goes by."""
        return {*self.dimensions, *(each.dimension for each in self.filters)}


def read(given: Mapping[str, object]) -> Draft:
    """Raises ValidationError with a message for every wrong field."""
    wrong: dict[str, str] = {
        str(name): f"There is no such field; known are {', '.join(FIELDS)}."
        for name in given
        if name not in FIELDS
    }

    def field(name: str, reader: Callable[[object], Read], harmless: Read) -> Read:
        try:
            return reader(given.get(name))
        except ValidationError as error:
            found = error.message_dict if hasattr(error, "error_dict") else {name: error.messages}
            wrong.update({key: messages[0] for key, messages in found.items()})
        return harmless

    kinds = BusinessMetric.Kind.values
    draft = Draft(
        key=field("key", _key, ""),
        name=field("name", _name, ""),
        unit=field("unit", _unit, ""),
        kind=field("kind", fields.choice(kinds, BusinessMetric.Kind.COUNT.value), ""),
        adds_up=field("adds_up", _truth(default=True), harmless=True),
        absent_is_zero=field("absent_is_zero", _truth(default=False), harmless=False),
        dimensions=field("dimensions", _dimensions, ()),
        filters=field("filters", read_filters, ()),
    )
    if draft.kind == BusinessMetric.Kind.COUNT and not draft.unit:
        wrong.setdefault("unit", "Write what one of it is, such as ticket, order or active user.")
    if draft.kind == BusinessMetric.Kind.MONEY and draft.unit:
        wrong.setdefault("unit", "Money is in the reporting currency: leave the unit out.")
    if draft.kind == BusinessMetric.Kind.MONEY and not draft.adds_up:
        wrong.setdefault("adds_up", "Money adds up.")
    if wrong:
        raise ValidationError(wrong)
    return draft


def _key(given: object) -> str:
    key = fields.text(given)
    if not KEY.fullmatch(key):
        raise ValidationError(
            "Write a short name for addresses: small letters, digits, _ and -, such as "
            "tickets_resolved."
        )
    return key


def _name(given: object) -> str:
    name = fields.text(given)
    if not name or len(name) > LONGEST_NAME:
        raise ValidationError("Write what it is called, in at most 200 characters.")
    return name


def _unit(given: object) -> str:
    unit = fields.text(given)
    if len(unit) > LONGEST_UNIT:
        raise ValidationError(f"Write at most {LONGEST_UNIT} characters, such as ticket.")
    return unit


def _truth(*, default: bool) -> Callable[[object], bool]:
    def reader(given: object) -> bool:
        if given is None:
            return default
        if not isinstance(given, bool):
            raise ValidationError("Write true or false.")
        return given

    return reader


def _dimensions(given: object) -> tuple[str, ...]:
    if given in (None, ""):
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValidationError('Write a list, such as ["team", "tag:customer"].')
    for name in given:
        if not (isinstance(name, str) and is_dimension(name)):
            raise ValidationError(f"{str(name)[:80]!r} is no dimension of usage.")
    if len(given) > MOST_DIMENSIONS or len(set(given)) < len(given):
        raise ValidationError(f"Write at most {MOST_DIMENSIONS} dimensions, each once.")
    return tuple(given)


def tags_of(draft: Draft) -> set[str]:
    return {name.removeprefix(TAG_PREFIX) for name in draft.named if name.startswith(TAG_PREFIX)}


def draft_of(metric: BusinessMetric) -> Draft:
    return Draft(
        metric.key,
        metric.name,
        metric.unit,
        metric.kind,
        metric.adds_up,
        metric.absent_is_zero,
        tuple(metric.dimensions),
        parse_filters(metric.filters),
    )


def fields_of(draft: Draft) -> dict[str, object]:
    """As `read` reads them."""
    return {
        **{name: getattr(draft, name) for name in FIELDS},
        "dimensions": list(draft.dimensions),
        "filters": filters_json(draft.filters),
    }


def terms_of(metric: BusinessMetric) -> Terms:
    draft = draft_of(metric)
    return Terms(
        draft.key,
        draft.name,
        draft.unit,
        metric.currency,
        draft.adds_up,
        draft.absent_is_zero,
        draft.dimensions,
        draft.filters,
    )
