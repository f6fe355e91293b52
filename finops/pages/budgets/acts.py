"""What enforcement does about a budget now, in marks, tiles and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from finops import formats, labels
from finops.enforcement import Acting, Acts
from finops.models import Budget
from finops.pages.budgets.states import Mark, Note
from finops.pages.budgets.wording import plain
from finops.pages.kpis import Kpi
from finops.periods import local_day
from ingest.enforcement.decisions import BLOCK
from ingest.enforcement.terms import ALWAYS

REFUSING = Mark("⊘", "refusing now", "crit")
SLOWING = Mark("◔", "slowing now", "warn")
ROLLING_DAYS = 31  # ingest/enforcement/tallies.py keeps as many


def marks(acts: Acts | None, now: datetime, value: str = "") -> list[Mark]:
    """One at most: whoever is refused is not slowed besides."""
    if acts is None:
        return []
    acting = acts.of(value)
    mark = REFUSING if acting.is_refusing else SLOWING if acting.is_slowing else None
    return [Mark(mark.icon, mark.text, mark.tone, counted(acts, acting, now))] if mark else []


def kpis(acts: Acts | None, value: str, now: datetime) -> list[Kpi]:
    """What is reserved, and how many calls were refused or slowed: beside what is spent."""
    if acts is None:
        return []
    acting = acts.of(value)
    upto = f"Figures up to {moment(acts.as_of, now, seconds=True)}" if acts.as_of else ""
    slowed = f"and {formats.count_long(acting.slowed)} slowed, " if acting.slowed else ""
    last = last_of(acting, now)
    return [
        Kpi(
            "Reserved",
            formats.money_short(acting.reserved, settings.CURRENCY),
            formats.money_exact(acting.reserved, settings.CURRENCY),
            note=f"for calls under way. {upto}".strip(),
        ),
        Kpi(
            "Calls refused",
            formats.count_short(acting.refused),
            formats.count_long(acting.refused),
            note=f"{slowed}{span(acts)}{last}",
            tone="warn" if acting.is_refusing else "",
        ),
    ]


def counted(acts: Acts, acting: Acting, now: datetime) -> str:
    """27 calls refused and 3 slowed in this period, the last at 14:02:10."""
    refused, slowed = formats.count_long(acting.refused), formats.count_long(acting.slowed)
    return f"{refused} calls refused and {slowed} slowed {span(acts)}{last_of(acting, now)}."


def span(acts: Acts) -> str:
    return f"in the last {ROLLING_DAYS} days" if acts.terms.starts == ALWAYS else "in this period"


def last_of(acting: Acting, now: datetime) -> str:
    known = [each for each in (acting.refused_at, acting.slowed_at) if each]
    return f"; the last at {moment(max(known), now, seconds=True)}" if known else ""


def notes(budget: Budget, acts: Acts | None, value: str, now: datetime) -> Iterator[Note]:
    """What gateways are told now, where that is not to go on."""
    if acts is None:
        return
    acting, terms = acts.of(value), acts.terms
    who = f"Calls of {labels.dimension(budget.for_each).lower()} {value}" if value else "Calls"
    if acting.is_blind:
        says = "refused" if terms.fail_closed else "let through"
        tone = "crit" if terms.fail_closed else "warn"
        yield Note(f"Its figures are too old to go by: calls are {says} until they are not.", tone)
    elif acting.is_refusing:
        yield Note(f"{who} are being refused{why_refused(acts, acting, now)}", "crit")
    elif acting.is_slowing:
        yield Note(f"{who} are being slowed: {why_slowed(acts, acting)}")


def why_refused(acts: Acts, acting: Acting, now: datetime) -> str:
    """The rest of the sentence."""
    ends = acts.terms.ends
    if acting.is_full and ends is not None:
        return f" until {moment(ends, now)}: what is spent and reserved is all of the amount."
    if acting.is_full:
        return " until older usage is out of its days: all of the amount is spent or reserved."
    return " that do not fit into what is left beside what is spent and reserved."


def why_slowed(acts: Acts, acting: Acting) -> str:
    terms = acts.terms
    if acting.spent + acting.reserved >= terms.amount and not terms.each:
        return "nothing is left, and as throttling never blocks, about one a minute is let in."
    percent = plain(terms.throttle_percent) or "100"
    rest = ", and refused once nothing is left" if terms.policy == BLOCK else ""
    return f"from {percent}{formats.SPACE}% of the amount on they come one after another{rest}."


def moment(at: datetime, now: datetime, *, seconds: bool = False) -> str:
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(now, zone), seconds=seconds)
