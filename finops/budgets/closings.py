"""Periods that are over: a last look, and notes of usage that comes after it (R5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from finops.budgets import rules, standings, telling
from finops.budgets.crossings import Former, cross
from finops.budgets.moments import Evaluated, Moment, Report
from finops.budgets.questions import VALUES, Asked
from finops.budgets.standings import Standing
from finops.budgets.telling import Telling
from finops.budgets.watched import Watched
from finops.models import BudgetClosing, Threshold

# Late usage of less than this part of the amount is no note, unless it reaches a threshold.
WEIGHT = Decimal("0.01")
# Of one budget in one evaluation; what is left is noted by the next ones.
MOST_NOTES = 200


def close(
    watched: Watched,
    asked: Asked,
    ended: Sequence[Standing],
    former: Former,
    moment: Moment,
    report: Report,
) -> None:
    """The last look at a period that has ended: thresholds that it reached before its end are told,
    and what it came to is written down."""
    for standing in ended:
        if is_judged(watched, standing):
            cross(watched, asked, standing, former, moment, report, is_closed=True)
    whole, *values = ended
    costliest = sorted(values, key=lambda each: -each.actual)[:VALUES]
    BudgetClosing.objects.bulk_create(
        [closing_of(watched, standing, moment) for standing in (whole, *costliest)],
        ignore_conflicts=True,
    )


def is_judged(watched: Watched, standing: Standing) -> bool:
    """Whether thresholds are about this: the whole, or each value where the budget is for each."""
    is_of_kind = bool(standing.value) == bool(watched.draft.for_each)
    return is_of_kind and standings.watches(standing.value)


def closing_of(watched: Watched, standing: Standing, moment: Moment) -> BudgetClosing:
    return BudgetClosing(
        budget=watched.budget,
        value=standing.value,
        period_start=standing.span.first,
        period_end=standing.span.end,
        amount=standing.amount,
        actual=standing.actual,
        unpriced_requests=standing.usage.unpriced_requests,
        as_of=moment.rolled_up_to,
        closed_at=moment.now,
    )


def note_late(each: Evaluated, former: Former, moment: Moment, report: Report) -> None:
    """Usage of the last closed periods that came after their ends: notes where it is of weight."""
    most = report.alerts + MOST_NOTES
    for late in each.late:
        _note(each.watched, late, former, moment, report, most_alerts=most)


def _note(
    watched: Watched,
    late: Sequence[Standing],
    former: Former,
    moment: Moment,
    report: Report,
    *,
    most_alerts: int,
) -> None:
    span = late[0].span
    whole = former.closings.get((watched.number, span.first))
    # Periods may have been of another length, of which more is nothing new.
    if whole is None or whole.period_end != span.end or late[0].actual <= whole.actual:
        return
    closings = {"": whole}
    if watched.draft.for_each:
        rows = BudgetClosing.objects.filter(budget=watched.budget, period_start=whole.period_start)
        closings = {row.value: row for row in rows}
    most = most_unwritten(closings)
    for standing in late:
        if report.alerts >= most_alerts:
            return
        if not is_judged(watched, standing):
            continue
        row = closings.get(standing.value)
        is_least = row is None and most > 0
        if row is None:  # it had no usage when the period ended, or was not written down
            row = closing_of(watched, replace(standing, actual=most), moment)
        known = row.actual if row.noted is None else row.noted
        if not is_weighty(watched, row.amount, known, standing.actual):
            continue
        told = Telling(
            watched, replace(standing, amount=row.amount), moment.rolled_up_to, moment.now
        )
        # Else today's note is out: this waits for the next.
        if telling.late(told, row.actual, is_least=is_least):
            report.alerts += 1
            row.noted, row.noted_at = standing.actual, moment.now
            row.save()


def most_unwritten(closings: Mapping[str, BudgetClosing]) -> Decimal:
    """What a value came to at most that was not written down when the period ended."""
    written = [row.actual for value, row in closings.items() if value]
    return min(written) if len(written) >= VALUES else Decimal(0)


def is_weighty(watched: Watched, amount: Decimal | None, known: Decimal, actual: Decimal) -> bool:
    """Whether so much more is a hundredth of the amount, or reaches a threshold."""
    if actual <= known:
        return False
    if actual - known >= WEIGHT * (amount or known):
        return True
    lines = (
        rules.money_of(each.kind, each.value, amount)
        for each in watched.thresholds.values()
        if each.basis == Threshold.Basis.ACTUAL
    )
    return any(money is not None and known < money <= actual for money in lines)
