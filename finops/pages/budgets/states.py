"""How a budget stands, in an icon, a word and a colour; and the sentences behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from finops import budgets, formats
from finops.budgets.ranking import is_heading_over
from finops.budgets.unused import Unused
from finops.models import Budget, BudgetIncrease, BudgetStatus
from finops.pages.budgets.wording import money
from finops.pages.states import FreshnessLine
from finops.pages.tables import Cell
from finops.periods import local_day

State = BudgetStatus.State


@dataclass(frozen=True, slots=True)
class Mark:
    """The icon and the words say what the tone's colour does."""

    icon: str
    text: str
    tone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence above the figures; `href` with its `link` is the way on."""

    text: str
    tone: str = "warn"
    href: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of the amount is spent, at most all of it."""

    width: float = 0
    tone: str = "unknown"
    is_known: bool = False


STATES = {
    State.WITHIN: Mark("✓", "within budget", "ok"),
    State.NEAR: Mark("▲", "threshold reached", "warn"),
    State.OVER: Mark("✕", "over budget", "crit"),
    State.NO_AMOUNT: Mark("–", "no amount", "", "What its amount goes by is not there yet."),
    State.UNKNOWN: Mark("?", "not known", "warn", "Requests without a price, or no figures."),
}
UNCHECKED = Mark("…", "not checked yet", "", "Every budget is checked every 20 seconds.")
HEADING_OVER = Mark("↗", "heading over", "warn", "The forecast is more than the amount.")
STALE = Mark("◷", "stale", "crit", "The roll-up is behind: more may have been spent.")
FAILED = Mark("!", "check failed", "crit")
INCREASES = {
    BudgetIncrease.State.ASKED: Mark("…", "waiting", "warn"),
    BudgetIncrease.State.APPROVED: Mark("✓", "approved", "ok"),
    BudgetIncrease.State.REFUSED: Mark("✕", "refused", "crit"),
    BudgetIncrease.State.WITHDRAWN: Mark("–", "withdrawn"),
    BudgetIncrease.State.ENDED: Mark("–", "ended early"),
    BudgetIncrease.State.EXPIRED: Mark("–", "expired"),
}


def state_marks(status: BudgetStatus | None) -> list[Mark]:
    """How it stands, and whether it will not for long."""
    if status is None:
        return [UNCHECKED]
    found = [STATES[State(status.state)]]
    return [*found, HEADING_OVER] if is_heading_over(status) else found


def doubts(status: BudgetStatus | None) -> list[Mark]:
    """What makes the state less certain."""
    if status is None:
        return []
    found = []
    if status.unpriced_requests:
        count = formats.count_short(status.unpriced_requests)
        found.append(Mark("?", f"{count} unpriced", "warn", "Requests without a known price."))
    if status.is_stale:
        found.append(STALE)
    if status.problem:
        found.append(Mark(FAILED.icon, FAILED.text, FAILED.tone, status.problem))
    return found


def unknown_marks(unused: Iterable[Unused]) -> list[Mark]:
    """Once for each dimension that it names an unknown value of."""
    found = {each.name: each.said(with_near=False) for each in unused}
    return [Mark("?", f"unknown {name}", "warn", said) for name, said in found.items()]


@dataclass(frozen=True, slots=True)
class Figures:
    """The cells that every table of budgets, or of their values, has."""

    amount: Cell
    spent: Cell
    share: str
    forecast: Cell
    bar: Bar


def figures_of(status: BudgetStatus | None) -> Figures:
    if status is None:
        return Figures(money(None), money(None), formats.MISSING, money(None), Bar())
    return Figures(
        amount=money(status.amount),
        spent=money(status.actual),
        share=formats.share_short(status.actual, status.amount),
        forecast=money(status.forecast, status.forecast_reason),
        bar=bar(status),
    )


def bar(status: BudgetStatus) -> Bar:
    if not status.amount:
        return Bar()
    share = min(max(status.actual * 100 / status.amount, Decimal(0)), Decimal(100))
    tones = {State.OVER: "crit", State.NEAR: "warn", State.WITHIN: "ok"}
    tone = tones.get(State(status.state), "unknown")
    tone = "warn" if tone == "ok" and is_heading_over(status) else tone
    return Bar(float(round(share, 2)), tone, True)


def freshness(wholes: Iterable[BudgetStatus], now: datetime) -> FreshnessLine | None:
    """Up to when the oldest of the figures go; None before the first check.

    By the rows of whole budgets, as those of values say when they last changed and not up to when
    they were looked at. A budget that cannot be checked says so itself, and makes no other older.
    """
    known = [each for each in wholes if each.as_of is not None]
    if not known:
        return None
    known = [each for each in known if not each.problem] or known
    oldest = min(each.as_of for each in known if each.as_of)
    zone = settings.REPORTING_ZONE
    upto = formats.moment(oldest, zone, local_day(now, zone), seconds=True)
    if any(each.is_stale for each in known):
        text = f"Figures stop at {upto}: the roll-up is behind. What is over stays told; nothing "
        return FreshnessLine(f"{text}else is judged until it has caught up.", is_alarm=True)
    return FreshnessLine(f"Costs up to {upto}, checked every 20 seconds", is_alarm=False)


def notes(budget: Budget, status: BudgetStatus | None, now: datetime) -> list[Note]:
    """What must not be overlooked beside the figures of one budget."""
    if status is None:
        return [Note(budgets.FIRST, "ok", "", "Look again")]
    found = []
    if status.problem:
        since = status.failing_since or now
        zone = settings.REPORTING_ZONE
        at = formats.moment(since, zone, local_day(now, zone))
        how = "" if status.state == State.UNKNOWN else " in full"
        found.append(Note(f"It could not be checked{how} since {at}: {status.problem}", "crit"))
    if status.unpriced_requests:
        found.append(unpriced_note(budget, status))
    return found


def unpriced_note(budget: Budget, status: BudgetStatus) -> Note:
    count = status.unpriced_requests
    requests = "1 request has" if count == 1 else f"{formats.count_long(count)} requests have"
    if budget.unpriced == Budget.Unpriced.ESTIMATE:
        amount = formats.money_long(status.estimated, settings.CURRENCY)
        return Note(
            f"{requests} no price; {amount} of what is spent is their estimate at "
            f"{formats.money_exact(budget.unpriced_rate, settings.CURRENCY)} per million tokens."
        )
    if budget.unpriced == Budget.Unpriced.BREACH:
        text = "By this budget's policy that counts as a breach, as their cost is not known."
        return Note(f"{requests} no price. {text}", "crit")
    return Note(f"{requests} no price. What is spent is without them, and may be more.")
