"""What budgets have cost, as `finops.costs` says it: read together, and anew only what changed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice

from finops import costs
from finops.budgets.drafts import Draft
from finops.budgets.sharing import Shared, shared
from finops.costs import CostResult, Look, QueryTooSlow
from finops.forecasts import Coming
from finops.models import Budget
from finops.periods import InvalidQuery, local_day
from finops.query import CostQuery

METRICS = ("effective_cost", "list_cost", "unpriced_requests", "unpriced_tokens")
MILLION = Decimal(1_000_000)
ZERO = Decimal(0)
# Queries of one snapshot: it must not last, and what is too slow spoils it for the others.
SNAPSHOT = 50
KEPT = timedelta(minutes=15)
PAUSE = timedelta(minutes=5)
MOST_KEPT = 20_000
# Of all answers that are kept: some 200 MB.
MOST_ROWS = 500_000

Step = date | datetime | None  # a day, the start of an hour, or the whole period


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over some requests; both costs are of those that have a price."""

    effective_cost: Decimal = ZERO
    list_cost: Decimal = ZERO
    unpriced_requests: int = 0
    unpriced_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.effective_cost + other.effective_cost,
            self.list_cost + other.list_cost,
            self.unpriced_requests + other.unpriced_requests,
            self.unpriced_tokens + other.unpriced_tokens,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            self.effective_cost - other.effective_cost,
            self.list_cost - other.list_cost,
            self.unpriced_requests - other.unpriced_requests,
            self.unpriced_tokens - other.unpriced_tokens,
        )

    def estimated(self, draft: Draft) -> Decimal:
        """What the budget has requests without a price cost."""
        if draft.unpriced != Budget.Unpriced.ESTIMATE or draft.unpriced_rate is None:
            return ZERO
        return draft.unpriced_rate * self.unpriced_tokens / MILLION

    def cost(self, draft: Draft) -> Decimal:
        """As the budget counts it."""
        known = self.list_cost if draft.cost == Budget.Cost.LIST else self.effective_cost
        return known + self.estimated(draft)


@dataclass(frozen=True, slots=True)
class Answer:
    """Usage by key ("" where nothing is grouped) and step; `rest` is that of the keys that a limit
    left out, None where it left out none."""

    usage: Mapping[str, Mapping[Step, Usage]] = field(default_factory=dict)
    rest: Usage | None = None

    @property
    def is_cut(self) -> bool:
        return self.rest is not None

    def of(self, key: str) -> Mapping[Step, Usage]:
        return self.usage.get(key, {})

    def total(self, key: str) -> Usage:
        steps = [*self.of(key).values()]
        return steps[0] if len(steps) == 1 else sum(steps, Usage())

    @property
    def rows(self) -> int:
        return sum(map(len, self.usage.values()))

    def whole(self) -> Usage:
        return sum((self.total(key) for key in self.usage), self.rest or Usage())


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why there is no answer, for people."""

    reason: str


def reason_of(found: Iterable[Answer | Unreadable | None]) -> str:
    """Why the first of them that could not be read could not; "" where all could."""
    return next((each.reason for each in found if isinstance(each, Unreadable)), "")


@dataclass(slots=True)
class Kept:
    answer: Answer
    horizon: int
    naming: str
    read_at: datetime


@dataclass(slots=True)
class Memory:
    """Answers of former evaluations, good until a day that they are about changes, or what goes by
    which name. One for each process: what another one has changed shows in the database."""

    kept: dict[CostQuery, Kept] = field(default_factory=dict)
    rows: int = 0  # of the answers that are kept
    slow: set[int] = field(default_factory=set)  # budgets that took long the last time
    tried: dict[int, datetime] = field(default_factory=dict)  # when each was begun with last
    # Budget → basis or length of steps → the values that have had their turns (contenders.py).
    turns: defaultdict[int, defaultdict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    steps: dict[int, frozenset[CostQuery]] = field(default_factory=dict)  # asked last, by values
    # What is known of days to come, by what it is about; of `coming_of`, and forgotten with it.
    coming: dict[CostQuery, Coming] = field(default_factory=dict)
    coming_of: object = None
    began_at: datetime | None = None  # the first evaluation of those that go on
    last_at: datetime | None = None  # the last one
    until: float | None = None  # on the monotonic clock: nothing is read any more
    queries: int = 0  # sent to the database so far

    def begin(self, now: datetime) -> None:
        """An evaluation; after a pause there is no telling what there would have been time for."""
        if self.last_at is None or now - self.last_at >= PAUSE:
            self.began_at = now
        self.last_at = now

    def apart(self) -> Memory:
        """One that keeps nothing for the next time."""
        return Memory(until=self.until)

    def milliseconds(self) -> int | None:
        """How long a query may take; None where nobody waits. Raises QueryTooSlow."""
        if self.until is None:
            return None
        left = int((self.until - time.monotonic()) * 1000)
        if left <= 0:
            raise QueryTooSlow
        return left

    def find(self, question: CostQuery, look: Look, now: datetime) -> Answer | None:
        held = self.kept.get(question)
        if held is None or not timedelta(0) <= now - held.read_at < KEPT:
            return None
        is_same = held.naming == look.naming and look.is_same(days_of(question), held.horizon)
        return held.answer if is_same else None

    def keep(
        self, question: CostQuery, answer: Answer, read_in: tuple[int, str], now: datetime
    ) -> None:
        """Where there is room, else it is read again each time. `read_in` are the horizon and the
        naming of the snapshot that it was read in."""
        self.forget(question)
        if not self._has_room(answer):
            for old in [q for q, held in list(self.kept.items()) if now - held.read_at >= KEPT]:
                self.forget(old)
        if self._has_room(answer):
            self.kept[question] = Kept(answer, *read_in, now)
            self.rows += answer.rows

    def ask_instead(self, number: int, questions: Iterable[CostQuery]) -> None:
        """Of a budget for each value other values are asked for by their steps: nobody asks for
        those before them again, and they would take the room of all other answers."""
        asked = frozenset(questions)
        for old in self.steps.get(number, frozenset()) - asked:
            self.forget(old)
        self.steps[number] = asked

    def forget(self, question: CostQuery) -> None:
        if held := self.kept.pop(question, None):
            self.rows -= held.answer.rows

    def _has_room(self, answer: Answer) -> bool:
        return len(self.kept) < MOST_KEPT and self.rows + answer.rows <= MOST_ROWS


def days_of(question: CostQuery) -> list[date]:
    first = local_day(question.period.start, question.zone)
    last = local_day(question.period.end - timedelta(microseconds=1), question.zone)
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]


def read(
    questions: Iterable[CostQuery], look: Look, memory: Memory, now: datetime
) -> dict[CostQuery, Answer | Unreadable]:
    """An answer for each question. Raises rollups.ZoneChanged, and QueryTooSlow where the memory
    says until when."""
    found: dict[CostQuery, Answer | Unreadable] = {}
    missing = []
    for question in dict.fromkeys(questions):
        kept = memory.find(question, look, now)
        if kept is None:
            missing.append(question)
        else:
            found[question] = kept
    # Where somebody waits each query is to end in time.
    for some in portions(shared(missing), SNAPSHOT if memory.until is None else 1):
        found.update(read_portion(some, memory, now))
    return found


def portions(queries: Sequence[Shared], size: int) -> Iterator[list[Shared]]:
    rest = iter(queries)
    while some := list(islice(rest, size)):
        yield some


def read_portion(
    some: Sequence[Shared], memory: Memory, now: datetime
) -> dict[CostQuery, Answer | Unreadable]:
    try:
        answered = costs.run_all([each.query for each in some], memory.milliseconds())
    except (QueryTooSlow, InvalidQuery) as error:
        if memory.until is not None and isinstance(error, QueryTooSlow):
            raise
        if len(some) > 1:  # all but the one that it is about can be answered
            parts = [read_portion([each], memory, now) for each in some]
            return {question: answer for part in parts for question, answer in part.items()}
        questions = [question for _, question in some[0].parts] or [some[0].query]
        return dict.fromkeys(questions, Unreadable(str(error)))
    memory.queries += len(some)
    found: dict[CostQuery, Answer | Unreadable] = {}
    for each, result in zip(some, answered.results, strict=True):
        for question, answer in answers(each, result):
            memory.keep(question, answer, (answered.horizon, answered.naming), now)
            found[question] = answer
    return found


def answers(each: Shared, result: CostResult) -> Iterator[tuple[CostQuery, Answer]]:
    read_answer = answer_of(result)
    if not each.parts:
        yield each.query, read_answer
    for value, question in each.parts:
        usage = read_answer.of(value)
        yield question, Answer({"": usage} if usage else {})


def answer_of(result: CostResult) -> Answer:
    usage: dict[str, dict[Step, Usage]] = {}
    rest: Usage | None = None
    for row in result.rows:
        values = (row.values[name] or 0 for name in METRICS)
        effective, listed, requests, tokens = values
        found = Usage(Decimal(effective), Decimal(listed), int(requests), int(tokens))
        if row.is_other:
            rest = (rest or Usage()) + found
            continue
        step: Step = row.start
        if row.start is not None and result.query.granularity == "day":
            step = local_day(row.start, result.query.zone)
        of_key = usage.setdefault(row.keys[0] if row.keys else "", {})
        of_key[step] = of_key.get(step, Usage()) + found
    return Answer(usage, rest)
