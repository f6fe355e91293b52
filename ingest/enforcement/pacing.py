"""Calls of throttled budgets, spread: after one is let in, the next is after a pause.

Kept in memory, by each ingest process for itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.enforcement.decisions import ALLOW, THROTTLE, Verdict
from ingest.enforcement.terms import Place

MOST = 50_000


class Pacing:
    def __init__(self) -> None:
        self._next_at: dict[Place, float] = {}  # seconds of the clock that `at` is of

    def passed(self, verdict: Verdict, at: float) -> Verdict:
        """The verdict as it is now: a paced one lets in whoever comes after the pause."""
        if verdict.decision != THROTTLE or verdict.code != "paced":
            return verdict
        wait = self._next_at.get(verdict.place, at) - at
        if wait <= 0:
            return verdict._replace(decision=ALLOW)
        return verdict._replace(pause=wait)

    def let_in(self, verdicts: Iterable[Verdict], at: float) -> dict[Place, float | None]:
        """From here on others wait; what to `give_back` where the call is not made after all."""
        before: dict[Place, float | None] = {}
        for verdict in verdicts:
            if verdict.code == "paced" and verdict.pause:
                before[verdict.place] = self._next_at.get(verdict.place)
                self._next_at[verdict.place] = at + verdict.pause
        if len(self._next_at) > MOST:
            self._next_at = {
                place: moment for place, moment in self._next_at.items() if moment > at
            }
        return before

    def give_back(self, before: dict[Place, float | None]) -> None:
        for place, moment in before.items():
            if moment is None:
                self._next_at.pop(place, None)
            else:
                self._next_at[place] = moment
