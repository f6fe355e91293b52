"""Evaluates budgets: reads what they have cost, decides, tells. Any number of workers may do so.

What many budgets ask is read together, and only what has changed since the last time; budgets that
were slow to read come last, each by itself and in turn, so that none of the others waits for them.
One for which there is no time for minutes is told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import localcontext
from itertools import islice
from zoneinfo import ZoneInfo

from finops import costs
from finops.budgets import pipeline, reading, watched
from finops.budgets.figures import Memory
from finops.budgets.moments import Evaluated, Moment, Report
from finops.budgets.recording import SOON, UNREAD_FOR, record
from finops.budgets.watched import Watched
from finops.models import BudgetStatus
from finops.organisation.calendar import fiscal_first_month
from finops.periods import local_day

log = logging.getLogger(__name__)

# Sums of money must not be rounded, however large and fine they are.
EXACT_DIGITS = 120
PORTION = 250
SLOW_SECONDS, SLOW_EACH = 3.0, 0.05
NO_TIME = "There was no time to read it, as all budgets together take too long."
SLOW = " Of {count} each takes seconds: give those filters or shorter periods."


def always() -> bool:
    return True


def evaluate(
    now: datetime,
    zone: ZoneInfo,
    *,
    memory: Memory | None = None,
    has_time: Callable[[], bool] = always,
    only: Collection[int] | None = None,
) -> Report:
    """Evaluate all budgets that nobody has just evaluated, or `only` these, at once.

    `memory` is what a process keeps from one evaluation to the next. What there is no time for is
    first the next time, but for what is slow. Raises rollups.ZoneChanged, and DatabaseError where
    the database is away.
    """
    memory = memory or Memory()
    memory.begin(now)
    report = Report(is_stale=pipeline.watch(now))
    with localcontext(prec=EXACT_DIGITS):
        look = costs.look()
        upto = look.freshness.rolled_up_to
        as_of = min(upto, now) if upto else now
        moment = Moment(
            now=now,
            as_of=as_of,
            today=local_day(as_of, zone),
            rolled_up_to=upto,
            pending_events=look.freshness.pending_events,
            is_stale=report.is_stale,
        )
        before = memory.queries
        looked = dict(
            BudgetStatus.objects.filter(value="").values_list("budget_id", "evaluated_at")
        )
        loaded = watched.load(zone, fiscal_first_month(), now, only)
        due = chosen(loaded, looked, memory, now, only)
        left = {each.number: each for each in due}
        for portion in turns(due, memory, has_time):
            begun = time.monotonic()
            memory.tried |= {each.number: now for each in portion}
            found = reading.read(portion, moment, look, memory, zone)
            report.add(record(found, moment, is_forced=only is not None))
            note_time(portion, time.monotonic() - begun, memory)
            for each in portion:
                del left[each.number]
        report.add(record(passed_over(moment, zone, memory, looked, left.values()), moment))
        report.queries = memory.queries - before
    return report


def chosen(
    all_of_them: Sequence[Watched],
    looked: Mapping[int, datetime],
    memory: Memory,
    now: datetime,
    only: Collection[int] | None,
) -> list[Watched]:
    """Those whose turn it is, the longest ago first: judged (`looked`), or tried in vain."""
    due = [
        each
        for each in all_of_them
        if only is not None
        or each.number not in looked
        or looked[each.number] <= now - SOON
        or looked[each.number] < each.budget.changed_at
    ]
    never = datetime.min.replace(tzinfo=now.tzinfo)
    last = (looked, memory.tried)
    return sorted(due, key=lambda each: max(of.get(each.number, never) for of in last))


def turns(
    due: Sequence[Watched], memory: Memory, has_time: Callable[[], bool]
) -> Iterator[list[Watched]]:
    """While there is time: many at once of those that are read quickly, then each of the others,
    of which one has its turn even when the quick ones took all the time."""
    slow = [each for each in due if each.number in memory.slow]
    quick = iter([each for each in due if each.number not in memory.slow])
    while has_time() and (portion := list(islice(quick, PORTION))):
        yield portion
    for number, each in enumerate(slow):
        if number and not has_time():
            return
        yield [each]


def passed_over(
    moment: Moment,
    zone: ZoneInfo,
    memory: Memory,
    looked: Mapping[int, datetime],
    left: Iterable[Watched],
) -> list[Evaluated]:
    """Those for which there was no time in any of the evaluations of the last minutes."""
    found = []
    began = memory.began_at or moment.now
    for each in left:
        judged = looked.get(each.number, each.budget.created_at)
        since = max(judged, memory.tried.get(each.number, began), began)
        if moment.now - since >= UNREAD_FOR:
            asked = reading.ask(each, moment, zone)
            problem = NO_TIME + (SLOW.format(count=len(memory.slow)) if memory.slow else "")
            found.append(Evaluated(each, asked, problem=problem, failing_since=judged))
    return found


def note_time(portion: Sequence[Watched], seconds: float, memory: Memory) -> None:
    """A portion that was slow is read one by one the next time, which tells whose fault it was."""
    numbers = {each.number for each in portion}
    if seconds >= max(SLOW_SECONDS, SLOW_EACH * len(portion)):
        memory.slow |= numbers
    else:
        memory.slow -= numbers
