"""One departure of a series as minutes, hours and days see it, and how those views are joined.

A *view* is what one scale sees. Two views of a series are of one departure where they go the same
way, overlap in time, and agree in size: the finer one has by the coarser's step a third to three
times of what the coarser one sees on average. Of the views of one departure the finest says when it
began, how much it was and if it is over that saw the *whole*: its beginning and its end, as far
as a coarser one can tell them, and at least half of what a coarser one sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from finops.anomalies.scales import SCALES

DIGITS = Decimal(1).scaleb(-12)
EXACT_DIGITS = 120
RANKS = {name: rank for rank, name in enumerate(SCALES)}  # the finest first
# Of what the coarser view sees by its step the finer one has so much at least and at most.
LEAST, MOST = Decimal("0.33"), Decimal(3)
HALF = Decimal("0.5")
# Episodes of one scale so near to each other are one departure.
SLACK = {"minute": timedelta(hours=1), "hour": timedelta(hours=6), "day": timedelta(0)}
# What goes back comes to the usual but for such a factor; what is so much less has stopped.
BACK = Decimal(2)
STOPPED = Decimal(20)
# What is expected after it was learned of it where it is so much of its way beside the usual.
LEARNED = Decimal("0.2")


@dataclass(frozen=True, slots=True)
class Part:
    """One episode in [start, end). `impact` is None where it is not known in money."""

    start: datetime
    end: datetime
    actual: Decimal
    expected: Decimal
    impact: Decimal | None


@dataclass(frozen=True, slots=True)
class View:
    """`parts` are in order and apart; `adds_up` is false of ratios. `has_returned` says of one that
    is over that usage went back to what it was, rather than was taken for the new level."""

    scale: str
    parts: tuple[Part, ...]
    direction: int
    is_open: bool
    has_returned: bool
    kind: str
    reason: str
    surprise: float
    adds_up: bool

    @property
    def start(self) -> datetime:
        return self.parts[0].start

    @property
    def end(self) -> datetime:
        return self.parts[-1].end

    @property
    def step(self) -> timedelta:
        return SCALES[self.scale].step

    @property
    def seconds(self) -> Decimal:
        lengths = ((each.end - each.start).total_seconds() for each in self.parts)
        return Decimal(str(sum(lengths))) or Decimal(1)

    @property
    def actual(self) -> Decimal:
        return self._figure([each.actual for each in self.parts])

    @property
    def expected(self) -> Decimal:
        return self._figure([each.expected for each in self.parts])

    @property
    def impact(self) -> Decimal | None:
        known = [each.impact for each in self.parts if each.impact is not None]
        return exact_sum(known) if known else None

    @property
    def excess(self) -> Decimal:
        """In the unit of the metric, however it goes."""
        return abs(self.actual - self.expected)

    def _figure(self, figures: Sequence[Decimal]) -> Decimal:
        """The sum, or of ratios the mean by length."""
        if self.adds_up or len(figures) == 1:
            return exact_sum(figures)
        lengths = [Decimal(str((each.end - each.start).total_seconds())) for each in self.parts]
        products = [figure * length for figure, length in zip(figures, lengths, strict=True)]
        return (exact_sum(products) / self.seconds).quantize(DIGITS)

    @property
    def rate(self) -> Decimal:
        """By the second of what adds up."""
        return self.excess / self.seconds if self.adds_up else self.excess

    def closed(self) -> View:
        return replace(self, is_open=False)

    def holds_any_of(self, other: View) -> bool:
        return self.start < other.end and other.start < self.end

    def overlaps(self, other: View) -> bool:
        """In time; what is open goes on."""
        return (self.start < other.end or other.is_open) and (
            other.start < self.end or self.is_open
        )

    def is_near(self, other: View) -> bool:
        slack = SLACK[self.scale]
        return self.start <= other.end + slack and other.start <= self.end + slack


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(prec=EXACT_DIGITS):
        return sum(amounts, Decimal(0))


def joined(held: View, fresh: View) -> View:
    """The same view with what is found of it now in the place of what was."""
    kept = [
        each
        for each in held.parts
        if not any(each.start < part.end and part.start < each.end for part in fresh.parts)
    ]
    parts = tuple(sorted((*kept, *fresh.parts), key=lambda each: each.start))
    newest = fresh if fresh.end >= held.end or len(parts) == len(fresh.parts) else held
    return replace(newest, parts=parts, surprise=max(held.surprise, fresh.surprise))


def begins_with(fine: View, coarse: View) -> bool:
    """Whether the finer view's beginning is within the first step of the coarser one, or is that of
    the most of what it sees."""
    return fine.start < coarse.start + coarse.step or fine.excess >= coarse.excess * HALF


def ends_with(fine: View, coarse: View) -> bool:
    """Whether nothing is seen by the coarser view after the finer one's end: in the steps in which
    that is nothing can be told apart. What was taken for the new level goes on."""
    is_end = fine.is_open or fine.has_returned or not coarse.is_open
    return is_end and fine.end > coarse.end - coarse.step


def whole(views: Iterable[View]) -> View:
    """The finest that saw all of it."""
    ranked = sorted(views, key=lambda each: RANKS[each.scale])
    return next(
        each
        for at, each in enumerate(ranked)
        if all(
            begins_with(each, other)
            and ends_with(each, other)
            and each.excess >= other.excess * HALF
            for other in ranked[at + 1 :]
        )
    )


def began(views: Iterable[View]) -> datetime:
    """By the finest that saw the beginning of what the whole is."""
    held = list(views)
    of = whole(held)
    finer = (each for each in held if RANKS[each.scale] < RANKS[of.scale])
    seen = [each for each in finer if each.start < of.start + of.step]
    return min(seen, key=lambda each: RANKS[each.scale]).start if seen else of.start


def goes_on(views: Iterable[View]) -> bool:
    held = list(views)
    of = whole(held)
    return of.is_open or any(
        each.is_open and each.end > of.end for each in held if RANKS[each.scale] < RANKS[of.scale]
    )


def share(fine: View, coarse: View) -> Decimal:
    """What the finer one has of what the coarser one sees, on average, in the steps it touches."""
    if not coarse.excess:
        return MOST + 1
    if not fine.adds_up:
        return fine.excess / coarse.excess
    first = (fine.start - coarse.start) // coarse.step
    last = -((coarse.start - fine.end) // coarse.step)
    seconds = max(last - first, 1) * Decimal(str(coarse.step.total_seconds()))
    return fine.excess * coarse.seconds / (coarse.excess * seconds)


def is_return(view: View, other: View) -> bool:
    """Whether it is no more than the end of the other one: usage goes back to what that expected,
    or what is expected now was learned of the other one. What stops at nothing is more."""
    if view.direction == other.direction:
        return False
    if not other.start < view.start <= other.end + max(2 * other.step, other.end - other.start):
        return False
    actual, expected, was, usual = view.actual, view.expected, other.actual, other.expected
    if view.adds_up:
        actual, expected = actual / view.seconds, expected / view.seconds
        was, usual = was / other.seconds, usual / other.seconds
    if view.direction > 0:
        is_back = actual <= usual * BACK
    else:
        is_back = actual * BACK >= usual
        if actual * STOPPED < usual:
            return False
    is_learned = (expected - usual) * other.direction >= abs(was - usual) * LEARNED
    return is_back or is_learned


def read(views: Mapping[str, Mapping[str, Any]], direction: int, *, adds_up: bool) -> list[View]:
    """As they are kept."""
    return [
        View(
            scale=scale,
            parts=parts_of(held),
            direction=direction,
            is_open=held["open"],
            has_returned=held.get("returned", True),
            kind=held["kind"],
            reason=held["reason"],
            surprise=held["surprise"],
            adds_up=adds_up,
        )
        for scale, held in views.items()
    ]


def beginnings(views: Mapping[str, Mapping[str, Any]]) -> dict[str, datetime]:
    return {name: parts_of(held)[0].start for name, held in views.items()}


def parts_of(held: Mapping[str, Any]) -> tuple[Part, ...]:
    return tuple(part_of(each) for each in held.get("parts", (held,)))


def part_of(held: Mapping[str, Any]) -> Part:
    return Part(
        datetime.fromisoformat(held["from"]),
        datetime.fromisoformat(held["to"]),
        Decimal(held["actual"]),
        Decimal(held["expected"]),
        None if held["impact"] is None else Decimal(held["impact"]),
    )


def kept(view: View) -> dict[str, Any]:
    """As JSON holds it."""
    return {
        "open": view.is_open,
        "returned": view.has_returned,
        "kind": view.kind,
        "reason": view.reason,
        "surprise": round(view.surprise, 3) if math.isfinite(view.surprise) else 0.0,
        "parts": [
            {
                "from": each.start.isoformat(),
                "to": each.end.isoformat(),
                "actual": written(each.actual),
                "expected": written(each.expected),
                "impact": None if each.impact is None else written(each.impact),
            }
            for each in view.parts
        ],
    }


def written(amount: Decimal) -> str:
    return f"{amount:f}"
