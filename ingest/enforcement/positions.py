"""Where budgets stand, as this process knows: the figures read last, and what it reserved since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ingest.enforcement.books import Figures
from ingest.enforcement.decisions import EXACT, Position
from ingest.enforcement.reservations import Reservation
from ingest.enforcement.terms import Index, Place, Terms

NOTHING = Decimal(0)


@dataclass(slots=True, eq=False)
class Recent:
    """Reserved since the figures were read. Saved ones are in the next reading."""

    reservation: Reservation
    is_saved: bool = False


class Positions:
    """Changed in the event loop alone."""

    def __init__(self) -> None:
        self.figures = Figures()
        self.index = Index(())
        self.has_read = False
        self._recent: list[Recent] = []
        self._leaving: list[Recent] = []
        self._sums: dict[tuple[Place, datetime], Decimal] = {}
        self._asked: dict[tuple[Place, datetime], Decimal] = {}

    def of(self, terms: Terms, place: Place, at: datetime) -> Position:
        period = terms.period(at)
        standing = self.figures.standings.get(place)
        spent = standing.spent if standing and standing.period == period else NOTHING
        reserved = self.figures.reserved.get((place, period), NOTHING)
        if (recent := self._sums.get((place, period))) is not None:
            reserved = EXACT.add(reserved, recent)
        return Position(spent, reserved)

    def remember(self, recent: Recent) -> None:
        self._recent.append(recent)
        for hold in recent.reservation.holds:
            at = hold.place, hold.period
            self._sums[at] = EXACT.add(self._sums.get(at, NOTHING), hold.amount)

    def forget(self, recent: Recent) -> None:
        if recent in self._recent:
            self._recent.remove(recent)
            self._add_up()

    @contextmanager
    def asking(self, reservation: Reservation) -> Iterator[None]:
        """While the database decides on it, it may be held or not."""
        self._ask(reservation)
        try:
            yield
        finally:
            self._ask(reservation, is_over=True)

    def asked(self, terms: Terms, place: Place, at: datetime) -> Decimal:
        """What the database decides on at this moment."""
        return self._asked.get((place, terms.period(at)), NOTHING)

    def _ask(self, reservation: Reservation, *, is_over: bool = False) -> None:
        for hold in reservation.holds:
            at = hold.place, hold.period
            amount = hold.amount.copy_negate() if is_over else hold.amount
            left = EXACT.add(self._asked.get(at, NOTHING), amount)
            if left:
                self._asked[at] = left
            else:
                self._asked.pop(at, None)

    def note_saved(self) -> None:
        """A reading begins, which holds everything that is saved by now."""
        self._leaving = [recent for recent in self._recent if recent.is_saved]

    def take(self, figures: Figures) -> None:
        if figures.plans is not self.figures.plans:
            self.index = Index(figures.plans)
        leaving = set(map(id, self._leaving))
        self._recent = [recent for recent in self._recent if id(recent) not in leaving]
        self._leaving = []
        self.figures = figures
        self.has_read = True
        self._add_up()

    def _add_up(self) -> None:
        recent, self._recent, self._sums = self._recent, [], {}
        for each in recent:
            self.remember(each)
