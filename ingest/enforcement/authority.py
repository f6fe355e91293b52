"""Answers questions from what is in memory, and asks the database where that is not enough.

Where every budget that a call touches has plenty left, what is reserved for it is remembered at
once and written behind its answer. Near a limit the database decides under a lock, so that of any
number of requests to any number of processes just those are let in that fit.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import NamedTuple
from uuid import UUID

from ingest.configuration import Configuration
from ingest.enforcement import decisions
from ingest.enforcement.books import Held
from ingest.enforcement.counts import Counts
from ingest.enforcement.decisions import ALLOW, BLOCK, SEVERITY, Verdict, judge, stale
from ingest.enforcement.estimates import Estimate, estimate_of
from ingest.enforcement.holding import Away, Holder
from ingest.enforcement.holds import may_be_held, reservation_of
from ingest.enforcement.pacing import Pacing
from ingest.enforcement.positions import Positions
from ingest.enforcement.questions import OtherTeam, Question, Settling
from ingest.enforcement.reservations import Release, Reservation, Settlement, settlement
from ingest.enforcement.tallies import Tallies
from ingest.enforcement.terms import Place, Terms, caller_of, value_of, with_own_amount
from ingest.facts import Scope
from ingest.metrics import Metrics
from ingest.problems import Problem, unavailable
from ingest.rating import RateCard

READ_SECONDS = 1.0
# Figures are a second or two old. What is older than this is not gone by.
STALE = timedelta(seconds=120)
# Calls for which one key may hold something at a time: two minutes of a busy gateway's. Those that
# other processes let in are known a second later.
MOST_HELD = 100_000
ROOM_SECONDS = 5
HOLDS_TOO_MUCH = (
    "This key holds budgets for {} calls already. Settle or release those that are over, or "
    "reserve for a shorter time (ttl_seconds), and send this again."
)
STARTING = "Farthing is starting: budgets are not read yet. Ask again."


class Authorization(NamedTuple):
    """What a question is answered. `estimate` is None where nobody knows a price."""

    decision: str
    verdicts: list[Verdict]
    retry_after: int | None
    reservation: Reservation | None
    estimate: Decimal | None
    as_of: datetime | None


class Authority:
    """Lives in the event loop; nothing of it is shared with a thread but through the holder."""

    def __init__(self, configuration: Configuration, holder: Holder, metrics: Metrics) -> None:
        self._configuration = configuration
        self._holder = holder
        self._counts = Counts(metrics.registry)
        self._tallies = Tallies()
        configuration.kept.append(self._tallies)
        self._positions = Positions()
        self._pacing = Pacing()
        self._is_away = False
        self._task: asyncio.Task[None] | None = None
        holder.before_reading = self._positions.note_saved

    def start(self) -> None:
        self._holder.start()
        self._task = asyncio.create_task(self._keep_reading())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
        await self._holder.close()

    def age(self, at: float) -> float:
        """Seconds since which the figures lack something; 0 where no budget is enforced."""
        figures = self._positions.figures
        return at - figures.as_of.timestamp() if figures.as_of and figures.plans else 0.0

    async def read(self) -> None:
        """Go by the figures as they are now. Raises Away."""
        self._positions.take(await self._holder.ask(None))

    async def authorize(self, scope: Scope, question: Question, at: float) -> Authorization:
        """Raises Problem: 503 before budgets were read, 403 for another team's calls, 429 where
        the key holds too much already; but with stale figures nothing that is held ends, and
        nobody goes by it."""
        if not self._positions.has_read:
            raise unavailable(STARTING)
        if scope.team and question.team not in {None, "", scope.team}:
            raise OtherTeam(scope.team)
        moment = datetime.fromtimestamp(at, UTC)
        has_room = self._positions.calls(scope.key_id) < MOST_HELD
        if question.reserve and not has_room:
            self._counts.reservations("limited").inc()
            if not self._is_stale(moment):
                raise Problem(429, HOLDS_TOO_MUCH.format(MOST_HELD), retry_after=str(ROOM_SECONDS))
        estimate = estimate_of(self._card(), question, moment)
        verdicts = [
            self._pacing.passed(self._judge(terms, place, estimate, moment), at)
            for terms, place in self._touched(scope, question)
        ]
        reservation = None
        if not any(map(_is_final, verdicts)):
            before = self._pacing.let_in(verdicts, at)
            if question.reserve and has_room:
                verdicts, reservation = await self._hold(
                    scope, question, verdicts, estimate, moment
                )
            if decisions.worst(verdicts) != ALLOW:
                self._pacing.give_back(before)
        decision = decisions.worst(verdicts)
        self._counts.authorizations(decision).inc()
        self._tallies.note(verdicts, at)
        return Authorization(
            decision,
            sorted(verdicts, key=lambda each: -SEVERITY[each.decision]),
            decisions.retry_after(verdicts, decision),
            reservation,
            estimate.effective,
            self._positions.figures.as_of,
        )

    async def settle(self, id: UUID, scope: Scope, settling: Settling, at: float) -> bool:
        """Whether it was held. Raises Away."""
        moment = datetime.fromtimestamp(at, UTC)
        return await self._end("settled", settlement(id, scope.source, settling, moment))

    async def release(self, id: UUID, scope: Scope, at: float) -> bool:
        """Whether it was held. Raises Away."""
        return await self._end(
            "released", Release(id, scope.source, datetime.fromtimestamp(at, UTC))
        )

    async def _end(self, outcome: str, work: Settlement | Release) -> bool:
        was_held: bool = await self._holder.ask(work)
        self._counts.reservations(outcome if was_held else "unknown").inc()
        return was_held

    def _touched(self, scope: Scope, question: Question) -> Iterator[tuple[Terms, Place]]:
        held, figures = self._configuration, self._positions.figures
        caller = caller_of(
            question, scope, held.naming.names, figures.owned.owners, held.activated_tags
        )
        for terms in self._positions.index.touched(caller):
            value = value_of(terms, caller, figures.standings)
            if value is None:
                continue
            place = Place(terms.budget, value)
            if own := with_own_amount(terms, figures.standings.get(place)):
                yield own, place

    def _card(self) -> RateCard | None:
        try:
            return self._configuration.card_in_force()
        except LookupError:
            return None

    def _judge(self, terms: Terms, place: Place, estimate: Estimate, at: datetime) -> Verdict:
        cost = estimate.by(terms)
        position = self._positions.of(terms, place, at)
        if terms.is_failing or self._is_stale(at):
            return stale(terms, place, position, cost or Decimal(0), "figures_stale")
        return judge(terms, place, position, cost, at)

    def _is_stale(self, at: datetime) -> bool:
        as_of = self._positions.figures.as_of
        return as_of is None or at - as_of > STALE

    async def _hold(
        self,
        scope: Scope,
        question: Question,
        verdicts: list[Verdict],
        estimate: Estimate,
        at: datetime,
    ) -> tuple[list[Verdict], Reservation | None]:
        """The reservation if it fits, and the verdicts by what is reserved at this very moment."""
        # Other limits are not looked at: far from them nothing that this process does not know
        # of can have come between.
        near = {
            each.place
            for each in verdicts
            if decisions.is_near(each, self._positions.asked(each.terms, each.place, at))
        }
        asked = reservation_of(scope, question, verdicts, estimate, at, limits=near)
        if not asked.holds or not may_be_held(asked, verdicts):
            return verdicts, None
        if self._is_away:
            return self._not_held(verdicts)
        if not any(hold.limit is not None for hold in asked.holds):
            self._positions.remember(asked)
            saved = self._holder.ask(asked, is_urgent=False)
            saved.add_done_callback(partial(self._saved, asked))
            return verdicts, asked
        try:
            with self._positions.asking(asked):
                held: Held = await self._holder.ask(asked)
        except Away:
            return self._not_held(verdicts)
        if held.is_held:
            self._counts.reservations("held").inc()
            self._positions.remember(asked, is_saved=True)
            return [_let_in(each) for each in verdicts], asked
        self._counts.reservations("refused").inc()
        return [
            judge(each.terms, each.place, held.positions[each.place], estimate.by(each.terms), at)
            if each.place in held.positions
            else each
            for each in verdicts
        ], None

    def _not_held(self, verdicts: list[Verdict]) -> tuple[list[Verdict], None]:
        self._counts.reservations("failed").inc()
        return [
            stale(each.terms, each.place, each.position, each.estimate, "not_reserved")
            for each in verdicts
        ], None

    def _saved(self, reservation: Reservation, answer: Future[Held]) -> None:
        if answer.cancelled() or answer.exception():
            self._is_away = True
            self._counts.reservations("failed").inc()
            self._positions.forget(reservation)
        else:
            self._positions.note_written(reservation)
            self._counts.reservations("held").inc()

    async def _keep_reading(self) -> None:
        while True:
            try:
                await self.read()
                self._is_away = False
            except Away:
                self._is_away = True
            await asyncio.sleep(READ_SECONDS)


def _is_final(verdict: Verdict) -> bool:
    """Whether it is a refusal that the database need not be asked about."""
    return verdict.decision != ALLOW and verdict.code != "budget_reserved"


def _let_in(verdict: Verdict) -> Verdict:
    if verdict.decision == BLOCK:  # by what has been released meanwhile
        return verdict._replace(decision=ALLOW, code="within_budget", pause=None)
    return verdict
