"""Where budgets stand, as this process knows: the figures read last, and what it reserved since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ingest.enforcement.books import Figures
from ingest.enforcement.decisions import EXACT, Position
from ingest.enforcement.reservations import Reservation
from ingest.enforcement.terms import Index, Place, Terms

NOTHING = Decimal(0)


class Sums:
    """What some reservations hold, and how many calls of each key they are for."""

    def __init__(self) -> None:
        self.amounts: dict[tuple[Place, datetime], Decimal] = {}
        self.calls: Counter[int] = Counter()

    def add(self, reservation: Reservation) -> None:
        self.calls[reservation.key_id] += 1
        amounts = self.amounts
        for place, period, amount, _ in reservation.holds:
            at = place, period
            before = amounts.get(at)
            amounts[at] = amount if before is None else EXACT.add(before, amount)

    def take_off(self, reservation: Reservation) -> None:
        self.calls[reservation.key_id] -= 1
        for place, period, amount, _ in reservation.holds:
            at = place, period
            left = EXACT.subtract(self.amounts.get(at, NOTHING), amount)
            if left:
                self.amounts[at] = left
            else:
                self.amounts.pop(at, None)

    def add_all(self, other: Sums) -> None:
        self.calls.update(other.calls)
        for at, amount in other.amounts.items():
            self.amounts[at] = EXACT.add(self.amounts.get(at, NOTHING), amount)


class Positions:
    """Changed in the event loop alone, which must not stop for long: what is added up is put aside
    as a whole when it comes into the figures."""

    def __init__(self) -> None:
        self.figures = Figures()
        self.index = Index(())
        self.has_read = False
        self._unsaved: dict[UUID, Reservation] = {}
        self._since = Sums()
        self._leaving = Sums()  # in the reading that is under way
        self._asked = Sums()

    def of(self, terms: Terms, place: Place, at: datetime) -> Position:
        period = terms.period(at)
        standing = self.figures.standings.get(place)
        spent = standing.spent if standing and standing.period == period else NOTHING
        where = place, period
        reserved = self.figures.reserved.get(where, NOTHING)
        for sums in (self._leaving.amounts, self._since.amounts):
            if (recent := sums.get(where)) is not None:
                reserved = EXACT.add(reserved, recent)
        return Position(spent, reserved)

    def calls(self, key_id: int) -> int:
        """For how many calls of this key something is held."""
        recent = self._leaving.calls[key_id] + self._since.calls[key_id]
        return self.figures.calls.get(key_id, 0) + recent

    def remember(self, reservation: Reservation, *, is_saved: bool = False) -> None:
        if not is_saved:
            self._unsaved[reservation.id] = reservation
        self._since.add(reservation)

    def note_written(self, reservation: Reservation) -> None:
        self._unsaved.pop(reservation.id, None)

    def forget(self, reservation: Reservation) -> None:
        """It could not be saved."""
        if self._unsaved.pop(reservation.id, None):
            self._since.take_off(reservation)

    @contextmanager
    def asking(self, reservation: Reservation) -> Iterator[None]:
        """While the database decides on it, it may be held or not."""
        self._asked.add(reservation)
        try:
            yield
        finally:
            self._asked.take_off(reservation)

    def asked(self, terms: Terms, place: Place, at: datetime) -> Decimal:
        """What the database decides on at this moment."""
        return self._asked.amounts.get((place, terms.period(at)), NOTHING)

    def note_saved(self) -> None:
        """A reading begins, which holds everything that is saved by now."""
        saved, self._since = self._since, Sums()
        for reservation in self._unsaved.values():
            saved.take_off(reservation)
            self._since.add(reservation)
        saved.add_all(self._leaving)  # of a reading that failed
        self._leaving = saved

    def take(self, figures: Figures) -> None:
        if figures.plans is not self.figures.plans:
            self.index = Index(figures.plans)
        self.figures = figures
        self.has_read = True
        self._leaving = Sums()
