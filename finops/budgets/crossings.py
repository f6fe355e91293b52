"""Thresholds that are reached: decided by rules.py, written down with the alerts they raise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from finops.budgets import rules, standings, telling
from finops.budgets.moments import Evaluated, Moment, Report
from finops.budgets.questions import Asked
from finops.budgets.rules import Decision, Found, Held
from finops.budgets.standings import Standing
from finops.budgets.telling import Telling
from finops.budgets.watched import Watched
from finops.models import BudgetClosing, BudgetStatus, Crossing


@dataclass(slots=True)
class Former:
    """What the database holds of some budgets: statuses by (budget, value), crossings of their last
    generation by (budget, value, period) and threshold, closings of wholes by (budget, start)."""

    statuses: dict[tuple[int, str], BudgetStatus] = field(default_factory=dict)
    crossings: defaultdict[tuple[int, str, date], dict[int, Crossing]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    closings: dict[tuple[int, date], BudgetClosing] = field(default_factory=dict)

    def whole(self, watched: Watched) -> BudgetStatus | None:
        return self.statuses.get((watched.number, ""))


def read_former(found: Sequence[Evaluated]) -> Former:
    former = Former()
    numbers = [each.watched.number for each in found]
    for status in BudgetStatus.objects.filter(budget_id__in=numbers):
        former.statuses[status.budget_id, status.value] = status
    days = {
        each.watched.key_of(span)
        for each in found
        for span in (each.asked.span, *(asked.span for asked, _ in each.closed))
    }
    rows = Crossing.objects.filter(budget_id__in=numbers, period_start__in=days)
    for row in rows.order_by("generation"):
        if row.threshold_id is not None:
            key = (row.budget_id, row.value, row.period_start)
            former.crossings[key][row.threshold_id] = row
    ended = {late[0].span.first for each in found for late in each.late}
    closings = BudgetClosing.objects.filter(value="", budget_id__in=numbers)
    for closing in closings.filter(period_start__in=ended):
        former.closings[closing.budget_id, closing.period_start] = closing
    return former


def cross(
    watched: Watched,
    asked: Asked,
    standing: Standing,
    former: Former,
    moment: Moment,
    report: Report,
    *,
    is_closed: bool = False,
) -> bool:
    """Decide on every threshold of one value and write what is new; whether any is held now. Of a
    period that is over only what was spent counts."""
    held = former.crossings[watched.number, standing.value, watched.key_of(standing.span)]
    found = (
        Found(standing.actual)
        if is_closed
        else standings.found_of(standing, asked, moment.as_of, is_stale=moment.is_stale)
    )
    decision = rules.decide(
        standings.lines(watched, standing, asked),
        found,
        {number: held_of(row) for number, row in held.items()},
        today=moment.today,
        revision=watched.budget.amount_revision,
        before=_before(former.statuses.get((watched.number, standing.value)), standing),
        is_rolling=watched.calendar.is_rolling,
    )
    _write(watched, standing, held, decision, moment, report)
    return is_held(watched, standing, former)


def is_held(watched: Watched, standing: Standing, former: Former) -> bool:
    """Whether a threshold in force was reached and is not armed again."""
    held = former.crossings[watched.number, standing.value, watched.key_of(standing.span)]
    in_force = (row for number, row in held.items() if number in watched.thresholds)
    return any(row.rearmed_at is None for row in in_force)


def held_of(row: Crossing) -> Held:
    assert row.threshold_id is not None
    return Held(
        number=row.threshold_id,
        generation=row.generation,
        money=row.line or Decimal(0),
        revision=row.revision,
        crossed_on=row.crossed_on,
        is_rearmed=row.rearmed_at is not None,
        calm=row.calm,
    )


def _before(row: BudgetStatus | None, standing: Standing) -> Found | None:
    """What the last evaluation found, in the same period."""
    if row is None or row.period_start != standing.span.first:
        return None
    burn = {int(hours): Decimal(spent) for hours, spent in row.burn.items()}
    return Found(row.actual, row.forecast, burn)


def _write(
    watched: Watched,
    standing: Standing,
    held: dict[int, Crossing],
    decision: Decision,
    moment: Moment,
    report: Report,
) -> None:
    for change in decision.changed:
        row = held[change.number]
        row.calm = change.calm
        row.rearmed_at = moment.now if change.is_rearmed else None
        row.save(update_fields=["calm", "rearmed_at"])
    told = Telling(watched, standing, moment.rolled_up_to, moment.now)
    for reached in decision.reached:
        line = reached.line
        row = Crossing(
            budget=watched.budget,
            threshold_id=line.number,
            basis=line.basis,
            value=standing.value,
            period_start=watched.key_of(standing.span),
            generation=reached.generation,
            line=line.money,
            amount=standing.amount,
            actual=standing.actual,
            forecast=standing.forecast.expected,
            revision=watched.budget.amount_revision,
            as_of=moment.rolled_up_to,
            crossed_at=moment.now,
            crossed_on=moment.today,
            is_told=reached.is_told,
        )
        if reached.is_told:
            threshold = watched.thresholds[line.number]
            row.alert_key = telling.crossed(
                told, line.number, threshold, reached.generation, row.period_start
            )
            report.alerts += 1
        row.save(force_insert=True)
        held[line.number] = row
        report.crossings += 1
