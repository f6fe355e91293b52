"""What both encodings of OTLP are reduced to: who sent, and records with their known attributes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

# A string, a number, a truth value, or a list or object of these.
Value = Any
Pairs = list[tuple[str, Value]]


class Record(NamedTuple):
    """A span, or a log record that speaks of one. Ids are hex; times are Unix nanoseconds.

    `pairs` are the attributes that the vocabulary knows; all others, prompts and answers among
    them, are left behind where the body is decoded.
    """

    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int  # 0 where it is not known
    failed: bool
    message: str  # of the failure
    exception: str  # the type of the first one
    first_token: int  # when a stream began to answer; 0 where that is not said
    pairs: Pairs


class Group(NamedTuple):
    """Records of one resource: attributes that all of them share, and the records."""

    resource: Pairs
    records: Iterable[Record]
