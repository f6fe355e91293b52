"""Evaluates budgets: reads what they have cost, decides, tells. Any number of workers may do so.

What many budgets ask is read together, and only what has changed since the last time; budgets that
were slow to read come last, each by itself, so that none of the others waits for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from decimal import localcontext
from itertools import islice
from zoneinfo import ZoneInfo

from finops import costs
from finops.budgets import pipeline, reading, watched
from finops.budgets.figures import Memory
from finops.budgets.moments import Moment, Report
from finops.budgets.recording import SOON, record
from finops.budgets.watched import Watched
from finops.models import BudgetStatus
from finops.organisation.calendar import fiscal_first_month
from finops.periods import local_day

log = logging.getLogger(__name__)

# Sums of money must not be rounded, however large and fine they are.
EXACT_DIGITS = 120
PORTION = 250
SLOW_SECONDS, SLOW_EACH = 3.0, 0.05


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
        due = chosen(watched.load(zone, fiscal_first_month(), now, only), now, only)
        for portion in portions(due, memory):
            if not has_time():
                break
            begun = time.monotonic()
            found = reading.read(portion, moment, look, memory, zone)
            report.add(record(found, moment, is_forced=only is not None))
            note_time(portion, time.monotonic() - begun, memory)
        report.queries = memory.queries - before
    return report


def chosen(
    all_of_them: Sequence[Watched], now: datetime, only: Collection[int] | None
) -> list[Watched]:
    """Those whose turn it is, the longest ago first."""
    looked = dict(BudgetStatus.objects.filter(value="").values_list("budget_id", "evaluated_at"))
    due = [
        each
        for each in all_of_them
        if only is not None
        or each.number not in looked
        or looked[each.number] <= now - SOON
        or looked[each.number] < each.budget.changed_at
    ]
    never = datetime.min.replace(tzinfo=now.tzinfo)
    return sorted(due, key=lambda each: looked.get(each.number, never))


def portions(due: Sequence[Watched], memory: Memory) -> Iterator[list[Watched]]:
    """Many at a time of those that are read quickly, then each of the others."""
    slow = [each for each in due if each.number in memory.slow]
    quick = iter([each for each in due if each.number not in memory.slow])
    while portion := list(islice(quick, PORTION)):
        yield portion
    yield from ([each] for each in slow)


def note_time(portion: Sequence[Watched], seconds: float, memory: Memory) -> None:
    """A portion that was slow is read one by one the next time, which tells whose fault it was."""
    numbers = {each.number for each in portion}
    if seconds >= max(SLOW_SECONDS, SLOW_EACH * len(portion)):
        memory.slow |= numbers
    else:
        memory.slow -= numbers
