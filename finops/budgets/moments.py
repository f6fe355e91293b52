"""What one evaluation knows of itself: when it is, what it has read, what it has done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from finops.budgets.questions import Asked
from finops.budgets.standings import Standing
from finops.budgets.watched import Watched


@dataclass(frozen=True, slots=True)
class Moment:
    """`as_of` is what figures include, at most now; `today` is the reporting day of that."""

    now: datetime
    as_of: datetime
    today: date
    rolled_up_to: datetime | None
    pending_events: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One budget with what was read of it: the whole first, then values. `problem` says why
    nothing was, and `failing_since` since when, where that is not just now; `gap` why some values
    were not, and `closing_gap` why not at the end of a period. `closed` are periods that have ended
    since the last evaluation, and `late` is what the last closed ones have come to by now."""

    watched: Watched
    asked: Asked
    standings: Sequence[Standing] = ()
    closed: Sequence[tuple[Asked, Sequence[Standing]]] = ()
    late: Sequence[Sequence[Standing]] = ()
    problem: str = ""
    failing_since: datetime | None = None
    gap: str = ""
    closing_gap: str = ""


@dataclass(slots=True)
class Report:
    """What an evaluation did. `queries` are those for figures; `failed` are budgets that could not
    be judged."""

    budgets: int = 0
    crossings: int = 0
    alerts: int = 0
    failed: int = 0
    queries: int = 0
    is_stale: bool = False
    numbers: list[int] = field(default_factory=list)  # of the budgets that were written

    def add(self, other: Report) -> None:
        self.budgets += other.budgets
        self.crossings += other.crossings
        self.alerts += other.alerts
        self.failed += other.failed
        self.numbers += other.numbers
