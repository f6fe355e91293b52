"""Writes down how budgets stand: figures, crossings and the alerts they raise, in one transaction.

Budgets that somebody else writes at that moment are left to them, and nothing is written of one
that has changed since it was read. Rows are unique, so that whoever is killed loses nothing and
whoever comes again tells nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import connection, transaction

from finops.budgets import statuses, telling
from finops.budgets.closings import close, is_judged, note_late
from finops.budgets.crossings import Former, cross, is_held, read_former
from finops.budgets.moments import Evaluated, Moment, Report
from finops.budgets.questions import VALUES
from finops.budgets.standings import Standing
from finops.budgets.telling import Telling
from finops.models import Budget, BudgetStatus

log = logging.getLogger(__name__)

# Two workers that evaluate at once: the second finds that it is done.
SOON = timedelta(seconds=8)
# A budget that cannot be judged for so long is told.
UNREAD_FOR = timedelta(minutes=10)
# Alerts of one budget in one evaluation, the costliest first. What else its values have reached is
# told by the next ones: ten thousand at once would hold up all other budgets for a minute.
MOST_ALERTS = 200
FAILED = "Its figures could not be written; the worker's log says why."
PARTLY = "Only the values that cost most are judged, as not all could be read: "


def record(found: Sequence[Evaluated], moment: Moment, *, is_forced: bool = False) -> Report:
    """Write all of them, or where that fails each by itself. `is_forced`: those too that somebody
    has just evaluated. Raises DatabaseError where the database is away."""
    try:
        return _record(found, moment, is_forced=is_forced)
    except Exception as error:
        if connection.connection is None or connection.connection.closed:
            raise
        if len(found) > 1:
            whole = Report()
            for each in found:
                whole.add(record([each], moment, is_forced=is_forced))
            return whole
        if not found or found[0].problem:
            raise
        number = found[0].watched.number
        log.exception("budget %s cannot be judged", number, exc_info=error)
        return _record([replace(found[0], problem=FAILED)], moment, is_forced=is_forced)


def _record(found: Sequence[Evaluated], moment: Moment, *, is_forced: bool) -> Report:
    report = Report()
    with transaction.atomic():
        versions = dict(
            Budget.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk__in=[each.watched.number for each in found], removed_at=None)
            .order_by("pk")
            .values_list("pk", "version")
        )
        mine = [
            each
            for each in found
            if versions.get(each.watched.number) == each.watched.budget.version
        ]
        former = read_former(mine)
        rows: list[BudgetStatus] = []
        for each in mine:
            whole = former.whole(each.watched)
            is_done = whole is not None and whole.evaluated_at > moment.now - SOON
            if is_forced or not is_done:
                rows += _judge(each, former, moment, report)
                report.numbers.append(each.watched.number)
        _write(rows, former)
    report.budgets = len(report.numbers)
    return report


def _judge(each: Evaluated, former: Former, moment: Moment, report: Report) -> list[BudgetStatus]:
    if each.problem:
        return [_unread(each, former, moment, report)]
    watched = each.watched
    for asked, ended in each.closed:
        close(watched, asked, ended, former, moment, report)
    note_late(each, former, moment, report)
    rows: list[BudgetStatus] = []
    most = report.alerts + MOST_ALERTS
    for number, standing in enumerate(each.standings):
        is_reached = is_judged(watched, standing) and (
            cross(watched, each.asked, standing, former, moment, report)
            if report.alerts < most
            else is_held(watched, standing, former)
        )
        state = statuses.state_of(watched, standing, is_reached=is_reached)
        if is_reached or number <= VALUES:
            held = former.statuses.get((watched.number, standing.value))
            rows.append(statuses.row_of(each, standing, moment, state, held))
    whole, *values = rows
    if each.gap or each.closing_gap:
        _note_gap(each, whole, former.whole(watched), moment)
    if watched.draft.for_each:
        judged = [standing for standing in each.standings if is_judged(watched, standing)]
        names = {standing.value for standing in judged}
        whole.values, whole.values_over = len(names), sum(standing.is_over for standing in judged)
        if whole.state != BudgetStatus.State.OVER:
            whole.state = statuses.worst({row.state for row in values if row.value in names})
    _tell_unpriced(each, each.standings[0], former.whole(watched), moment, report)
    return rows


def _unread(each: Evaluated, former: Former, moment: Moment, report: Report) -> BudgetStatus:
    report.failed += 1
    row = statuses.unread(each, former.whole(each.watched), moment)
    if row.failing_since is not None and moment.now - row.failing_since >= UNREAD_FOR:
        telling.unreadable(each.watched, row, moment.today, moment.now)
    return row


def _note_gap(
    each: Evaluated, row: BudgetStatus, held: BudgetStatus | None, moment: Moment
) -> None:
    """Of very many values some could not be read: told after a time, and at once where a period is
    over, at which nobody looks again."""
    row.problem = PARTLY + (each.closing_gap or each.gap)
    since = (held.failing_since if held else None) or moment.now
    row.failing_since = since
    if each.closing_gap or moment.now - since >= UNREAD_FOR:
        telling.unreadable(each.watched, row, moment.today, moment.now)


def _tell_unpriced(
    each: Evaluated, whole: Standing, row: BudgetStatus | None, moment: Moment, report: Report
) -> None:
    """Once in a period, when there are the first; of a rolling budget, when they come anew. An
    estimate is a figure, and tells by itself, but for requests without tokens."""
    policy = each.watched.draft.unpriced
    is_figure = policy == Budget.Unpriced.ESTIMATE and whole.estimated > 0
    if not whole.usage.unpriced_requests or is_figure:
        return
    is_told = (
        row is not None
        and (row.period_start == whole.span.first or each.watched.calendar.is_rolling)
        and row.unpriced_requests > 0
        and row.evaluated_at > each.watched.budget.changed_at
    )
    if not is_told:
        told = Telling(each.watched, whole, moment.rolled_up_to, moment.now)
        report.alerts += telling.unpriced(told, is_breach=policy == Budget.Unpriced.BREACH)


def _write(rows: Sequence[BudgetStatus], former: Former) -> None:
    """Rows of values only where they say anything new; those of values that are gone go."""
    kept = {(row.budget_id, row.value) for row in rows}
    read = {row.budget_id for row in rows if row.state != BudgetStatus.State.UNKNOWN}
    changed = [
        row
        for row in rows
        if not row.value or statuses.is_news(row, former.statuses.get((row.budget_id, row.value)))
    ]
    BudgetStatus.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=statuses.UNIQUE,
        update_fields=statuses.UPDATED,
        batch_size=500,
    )
    gone = [row.pk for key, row in former.statuses.items() if key[0] in read and key not in kept]
    if gone:
        BudgetStatus.objects.filter(pk__in=gone).delete()
