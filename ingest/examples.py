"""Examples of refused events: which fields they had and of what kind, never what was in them.

What people wrote (prompts, answers, names, tags) must not be kept, least of all of an event that
was refused because something else was in a field than belongs there. So an example holds names of
fields, kinds of values, the beginning of the id, and of the one offending field its shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from ingest.events import FIELDS, Event
from ingest.rejections import Rejection

# A larger event is not taken apart: its example says only how large it was.
LARGEST_BYTES = 64 * 1024
MOST_FIELDS = 60
MOST_USAGE_FIELDS = 20
NAME_CHARACTERS = 60
ID_CHARACTERS = 6
SHAPE_CHARACTERS = 40
# Fields whose values are written in a form, so that the form tells what is wrong with them.
_FORMED = frozenset({"timestamp"})
_ANYTHING = msgspec.json.Decoder(dict[str, Any])


class Sample(NamedTuple):
    """One refused event as it came, or as far as it could be read."""

    rejection: Rejection
    event: bytes | Event


class Example(NamedTuple):
    """What may be kept of it. `shape` says field by field what kind of value there was."""

    reason: str
    field: str
    id_prefix: str
    shape: dict[str, Any]


def example_of(sample: Sample) -> Example:
    """The sample without anything its client wrote but names of fields and the id's beginning."""
    rejection = sample.rejection
    field = _field(rejection.detail)
    return Example(rejection.reason, field, _prefix(rejection.id), _shape(sample.event, field))


def _field(detail: str) -> str:
    """The field that a rejection speaks of; '' where it is none of the schema's."""
    name = detail.partition(":")[0].partition(".")[0]
    return name if name in FIELDS else ""


def _prefix(event_id: str | None) -> str:
    if not event_id:
        return ""
    return printable(event_id[: min(ID_CHARACTERS, len(event_id) // 2)]) + "…"


def _shape(event: bytes | Event, field: str) -> dict[str, Any]:
    if isinstance(event, Event):
        given = {
            name: value
            for name, value in msgspec.structs.asdict(event).items()
            if value is not None and name in FIELDS
        }
    else:
        if len(event) > LARGEST_BYTES:
            return {"(event)": f"of {len(event):,} bytes, too large to be an example"}
        try:
            given = _ANYTHING.decode(event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {"(event)": f"no JSON object, {len(event):,} bytes"}
    names = list(given)[:MOST_FIELDS]
    return {printable(name): _kind(name, given[name], name == field) for name in names}


def _kind(name: str, value: object, is_offending: bool) -> Any:
    if name not in FIELDS:
        return "(not a field of the schema)"
    if name == "usage" and isinstance(value, Mapping):
        parts = list(value.items())[:MOST_USAGE_FIELDS]
        return {printable(str(part)): kind_of(each) for part, each in parts}
    if not is_offending:
        return kind_of(value)
    if isinstance(value, str) and name in _FORMED:
        return f"text of the form {form_of(value)}"
    return _closely(value)


def kind_of(value: object) -> str:
    """The kind of a JSON value, and no more than that."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime):
        return "date-time"
    if isinstance(value, Mapping):
        return f"object of {len(value)}"
    return f"array of {len(value)}" if isinstance(value, list) else "null"


def _closely(value: object) -> str:
    """What the offending value is like: how long, how large, which sign."""
    if isinstance(value, bool) or value is None:
        return kind_of(value)
    if isinstance(value, str):
        return f"text of {len(value):,} characters"
    if isinstance(value, int | float | Decimal):
        if not Decimal(value).is_finite():
            return "no number"  # NaN and the infinities, which have no order
        sign = "negative " if value < 0 else ""
        kind = "whole number" if isinstance(value, int) else "number with a fraction"
        return f"{sign}{kind}, {len(str(value).lstrip('-'))} digits"
    return kind_of(value)


def form_of(text: str) -> str:
    """Letters as a, digits as 9: 2026-10-01 12:00 is 9999-99-99 99:99."""
    form = re.sub(r"\d", "9", text[:SHAPE_CHARACTERS])
    form = re.sub(r"[^\W\d_]", "a", form)
    form = re.sub(r"[^a9:+.,/ -]", "·", form)
    return form + ("…" if len(text) > SHAPE_CHARACTERS else "")


def printable(name: str) -> str:
    """A name that came from outside, short and without what cannot be shown or stored."""
    short = name[:NAME_CHARACTERS]
    return "".join(character if character.isprintable() else "·" for character in short)
