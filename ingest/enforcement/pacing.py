"""Calls of throttled budgets, spread: after one is let in, the next is after a pause.

Kept in memory, by each ingest process for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ingest.enforcement.decisions import ALLOW, LONGEST_PAUSE, THROTTLE, Verdict
from ingest.enforcement.terms import Place

MOST = 50_000


class Turn(NamedTuple):
    """When the next call would come after this one, and when it would have come before it."""

    place: Place
    next_at: float
    before: float | None


class Pacing:
    def __init__(self) -> None:
        self._next_at: dict[Place, float] = {}  # seconds of the clock that `at` is of
        self._most = MOST  # of these are kept before those that are over are looked for

    def passed(self, verdict: Verdict, at: float) -> Verdict:
        """The verdict as it is now: a paced one lets in whoever comes after the pause."""
        if verdict.decision != THROTTLE or verdict.code != "paced":
            return verdict
        # A clock that was set back must not shut anybody out for longer than the longest pause.
        next_at = min(self._next_at.get(verdict.place, at), at + LONGEST_PAUSE)
        if next_at <= at:
            return verdict._replace(decision=ALLOW)
        self._next_at[verdict.place] = next_at
        return verdict._replace(pause=next_at - at)

    def let_in(self, verdicts: Iterable[Verdict], at: float) -> list[Turn]:
        """From here on others wait; what to `give_back` where the call is not made after all."""
        turns = []
        for verdict in verdicts:
            if verdict.code == "paced" and verdict.pause:
                place, next_at = verdict.place, at + verdict.pause
                turns.append(Turn(place, next_at, self._next_at.get(place)))
                self._next_at[place] = next_at
        if len(self._next_at) > self._most:
            self._next_at = {
                place: moment for place, moment in self._next_at.items() if moment > at
            }
            # Where many wait it takes milliseconds, and is not for each call.
            self._most = max(MOST, 2 * len(self._next_at))
        return turns

    def give_back(self, turns: Iterable[Turn]) -> None:
        """Unless somebody else was let in meanwhile."""
        for turn in turns:
            if self._next_at.get(turn.place) != turn.next_at:
                continue
            if turn.before is None:
                del self._next_at[turn.place]
            else:
                self._next_at[turn.place] = turn.before
