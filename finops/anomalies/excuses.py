"""What planned events make of a series: steps that are excused, and those of which more is due."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from finops.anomalies.gathering import Series
from finops.anomalies.planning import Plan
from finops.detection import Expectation

Values = Sequence[float | None]
# For how long series that hold other usage too are excused.
LONGEST_BESIDE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Excuses:
    """`known` are neither anomalous nor learned from; `factors` say of how many times the usual the
    steps are planned to be, by their places. Detection judges what is left when these are divided
    out."""

    known: list[range]
    factors: Mapping[int, float]

    def holds_last(self, length: int) -> bool:
        """Whether anything may happen in the last of so many steps."""
        return any(length - 1 in span for span in self.known)

    def planned(self) -> list[range]:
        """The steps with a factor: of a ratio it says nothing."""
        return [range(at, at + 1) for at in self.factors]

    def relieved(self, values: Values) -> Values:
        """As they would have been without the plans."""
        return [
            each if each is None else each / self.factors.get(at, 1)
            for at, each in enumerate(values)
        ]

    def restored(self, expectation: Expectation, length: int) -> Expectation:
        """What is expected with the plans. An expectation may be of the last steps alone."""
        shift = length - len(expectation.expected)

        def times(column: Values) -> Values:
            return [
                each if each is None else each * self.factors.get(at + shift, 1)
                for at, each in enumerate(column)
            ]

        return Expectation(
            times(expectation.expected), times(expectation.low), times(expectation.high)
        )


def excuses(series: Series, end: datetime, plans: Sequence[Plan]) -> Excuses:
    """Of a series whose last step ends at `end`. Of two plans with a factor both hold."""
    known: list[range] = []
    factors: dict[int, float] = {}
    for plan in plans:
        if not plan.concerns(series.key) or plan.end <= series.start or plan.start >= end:
            continue
        if plan.factor is None or not plan.holds(series.key):
            known.append(touched(series.starts(), plan.start, excused_to(plan, series)))
            continue
        for at, part in covered(series.starts(), end, plan):
            factors[at] = factors.get(at, 1) * (1 + (plan.factor - 1) * part)
    return Excuses(known, factors)


def excused_to(plan: Plan, series: Series) -> datetime:
    """What is not all of the plan is let be for a while, and not for as long as somebody writes."""
    return plan.end if plan.holds(series.key) else min(plan.end, plan.start + LONGEST_BESIDE)


def touched(starts: Sequence[datetime], start: datetime, end: datetime) -> range:
    """Every step that any of the span lies in."""
    return range(max(bisect_right(starts, start) - 1, 0), bisect_left(starts, end))


def covered(starts: Sequence[datetime], end: datetime, plan: Plan) -> Iterator[tuple[int, float]]:
    """Each step that any of the plan lies in, and how much of the step that is."""
    for at in touched(starts, plan.start, plan.end):
        begins, ends = starts[at], starts[at + 1] if at + 1 < len(starts) else end
        inside = min(plan.end, ends) - max(plan.start, begins)
        yield at, inside / (ends - begins)
