"""A refresh: the figures of enforced budgets and the reservations within them, of one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Max

from finops.budgets import amounts, figures, watched
from finops.budgets.figures import Answer, Memory
from finops.budgets.questions import NO_VALUES, Asked
from finops.budgets.watched import Watched
from finops.costs import look, read_freshness, snapshot
from finops.enforcement import reservations
from finops.enforcement.handover import Handed, Place, Spent, hand_over
from finops.locks import Lock, alone
from finops.models import Budget, BudgetIncrease, Erasure
from finops.organisation.calendar import fiscal_first_month
from finops.periods import local_day
from finops.query import CostQuery
from ingest.enforcement.terms import ALWAYS

ZERO = Decimal(0)


@dataclass(slots=True)
class Kept:
    """What a refresh read, for the next one, which reads only days that have changed."""

    memory: Memory = field(default_factory=Memory)
    erasures: tuple[object, ...] = ()
    handed: Handed = field(default_factory=Handed)
    state: tuple[object, ...] = ()  # what the enforced budgets were made of
    enforced: Sequence[Enforced] = ()
    stood: dict[int, Stood] = field(default_factory=dict)  # by budget

    def forget_names(self) -> bool:
        """Where somebody's name was erased since: it must not come back, and nobody may go by it.
        Whether that was so."""
        state = Erasure.objects.aggregate(last=Max("pk"), finished=Count("finished_at"))
        found = tuple(state.values())
        is_other, self.erasures = found != self.erasures, found
        if is_other:
            self.memory, self.stood = Memory(), {}
        return is_other


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a budget stood by these answers."""

    enforced: Enforced
    answers: Sequence[Answer]
    spent: Mapping[Place, Spent]

    def holds(self, enforced: Enforced, answers: Sequence[Answer]) -> bool:
        """Whether all of it is still so."""
        held = self.enforced
        return (
            len(answers) == len(self.answers)
            and all(one is other for one, other in zip(answers, self.answers, strict=True))
            and enforced.asked == held.asked
            and enforced.watched.increases == held.watched.increases
        )


@dataclass(frozen=True, slots=True)
class Refreshed:
    budgets: int = 0
    changed: int = 0  # rows
    ended: int = 0  # reservations
    busy: bool = False  # another worker was at it


@dataclass(frozen=True, slots=True)
class Enforced:
    """One enforced budget and its questions: of its period, and of the one before where the amount
    goes by that."""

    watched: Watched
    asked: Asked
    zone: ZoneInfo
    questions: Sequence[CostQuery]

    @property
    def starts(self) -> datetime:
        """A rolling budget is one long period."""
        if self.watched.calendar.is_rolling:
            return ALWAYS
        return self.asked.span.period(self.zone).start

    def amount(self, value: str, before: Decimal | None) -> Decimal | None:
        return amounts.of(
            self.asked.draft,
            self.asked.span,
            before,
            value=value,
            increases=self.watched.increases,
        )


def refresh(now: datetime, zone: ZoneInfo, kept: Kept) -> Refreshed:
    """Raises rollups.ZoneChanged."""
    with alone(Lock.ENFORCEMENT) as is_alone:
        if not is_alone:
            return Refreshed(busy=True)
        with snapshot() as cursor:
            enforced = load(now, zone, kept)
            as_of = read_freshness(cursor).rolled_up_to or now
            anew = kept.forget_names()
            questions = [question for each in enforced for question in each.questions]
            found = figures.read(questions, look(), kept.memory, now)
            judged = reservations.judge(cursor, now, as_of)
        terms: dict[int, dict[str, Any]] = {}
        spent: dict[Place, Spent] = {}
        failing = []
        for each in enforced:
            answers = [found[question] for question in each.questions]
            known = [answer for answer in answers if isinstance(answer, Answer)]
            if len(known) < len(answers):
                failing.append(each.watched.number)
                terms[each.watched.number] = terms_of(each, None, is_failing=True)
            else:
                terms[each.watched.number] = terms_of(each, known)
                spent.update(standings_of(each, known, kept))
        kept.stood = {number: kept.stood[number] for number in terms if number in kept.stood}
        with transaction.atomic():
            changed = hand_over(terms, spent, failing, kept.handed, as_of=as_of, now=now, anew=anew)
            ended = reservations.end(judged, now)
    return Refreshed(len(enforced), changed, ended)


def load(now: datetime, zone: ZoneInfo, kept: Kept) -> Sequence[Enforced]:
    """Enforced budgets, made of their rows only where one of these has changed: a thousand take a
    second."""
    rows = Budget.objects.filter(removed_at=None).exclude(enforcement=Budget.Enforcement.NONE)
    increases = BudgetIncrease.objects.filter(state=BudgetIncrease.State.APPROVED, until__gt=now)
    today, month = local_day(now, zone), fiscal_first_month()
    # Plans change with the version of their budget.
    state = (
        list(rows.order_by("pk").values_list()),
        list(increases.order_by("pk").values_list("budget_id", "value", "amount")),
        *(today, month, zone),
    )
    if kept.state != state:
        only = list(rows.values_list("pk", flat=True))
        budgets = watched.load(zone, month, now, only=only) if only else []
        kept.enforced = [made(each, today, zone) for each in budgets]
        kept.state = state
    return kept.enforced


def made(each: Watched, today: date, zone: ZoneInfo) -> Enforced:
    span = each.calendar.at(today)
    asked = Asked(each.draft, span, each.calendar.before(span), today, zone)
    questions = [asked.query(span.period(zone), "total")]
    if each.draft.amount_kind == Budget.AmountKind.LAST_PERIOD:
        questions.append(asked.query(asked.before.period(zone), "total"))
    return Enforced(each, asked, zone, questions)


def standings_of(each: Enforced, answers: Sequence[Answer], kept: Kept) -> Mapping[Place, Spent]:
    """Of many values it takes long, so what was worked out from the same answers is kept."""
    number = each.watched.number
    stood = kept.stood.get(number)
    if stood is None or not stood.holds(each, answers):
        stood = kept.stood[number] = Stood(each, answers, dict(worked_out(each, answers)))
    return stood.spent


def worked_out(each: Enforced, answers: Sequence[Answer]) -> Iterator[tuple[Place, Spent]]:
    draft, number = each.asked.draft, each.watched.number
    current, *before = answers
    if not draft.for_each:
        yield (number, ""), Spent(each.starts, current.total("").cost(draft))
        return
    values = {*current.usage, *(before[0].usage if before else ()), *raised(each)} - NO_VALUES
    usual, starts = each.amount("", None), each.starts
    has_own = bool(before or each.watched.increases)
    for value in values:
        own = usual
        if has_own:
            former = before[0].total(value).cost(draft) if before else None
            own = each.amount(value, former)
        spent = current.total(value).cost(draft)
        yield (number, value), Spent(starts, spent, own if own != usual else None)


def raised(each: Enforced) -> set[str]:
    """Values whose amounts were increased by themselves."""
    return {increase.value for increase in each.watched.increases} - {""}


def terms_of(
    each: Enforced, answers: Sequence[Answer] | None, *, is_failing: bool = False
) -> dict[str, Any]:
    """As ingest/enforcement/terms.py reads them."""
    budget, draft = each.watched.budget, each.asked.draft
    before = answers[1] if answers and len(answers) > 1 and not draft.for_each else None
    amount = each.amount("", before.total("").cost(draft) if before else None)
    is_rolling = each.watched.calendar.is_rolling
    return {
        "budget": budget.pk,
        "name": draft.name,
        "amount": str(amount if amount is not None else ZERO),
        "has_amount": amount is not None,
        "policy": draft.enforcement.policy,
        "starts": each.starts.isoformat(),
        "ends": None if is_rolling else each.asked.span.period(each.zone).end.isoformat(),
        "filters": [
            {"dimension": kept.dimension, "values": list(kept.values), "exclude": kept.exclude}
            for kept in draft.filters
        ],
        "each": draft.for_each,
        "team": draft.team,
        "throttle_percent": written(draft.enforcement.throttle_percent),
        "fail_closed": draft.enforcement.fail_closed,
        "unpriced": draft.unpriced,
        "unpriced_rate": written(draft.unpriced_rate),
        "cost": "list" if draft.cost == Budget.Cost.LIST else "effective",
        "is_failing": is_failing,
    }


def written(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"
