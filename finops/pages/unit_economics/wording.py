"""What an outcome costs, in words and short figures: titles, tiles, why it changed, what is in no
figure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from finops import formats
from finops.business_metrics import Answered
from finops.labels import GRANULARITIES
from finops.pages.explain.steps import Line, Steps, cut
from finops.pages.filters import period_text
from finops.pages.kpis import Kpi
from finops.pages.tables import Change
from finops.unit_economics import Figure, Question, Terms
from finops.waterfall import waterfall

# What is in no cost per unit, and what to do about it.
STATES = {
    "running": "is of days or months that are not over",
    "not_recorded": "is of days or months before usage was recorded in full",
    "no_value": "has no value: send those, or 0 where there was nothing",
    "no_price": "is of days or months of which no request has a price",
}
REASONS = {
    "running": "still running",
    "not_recorded": "usage not recorded yet",
    "no_value": "no value sent",
    "no_price": "no request has a price",
    "no_outcomes": "nothing was counted",
    "nothing": "nothing was used or counted",
}


def unit(terms: Terms) -> str:
    return terms.unit or terms.currency


def heading(terms: Terms) -> str:
    if terms.is_money:
        return f"What is left of {lowered(terms.name)}?"
    return f"What does one {terms.unit} cost?"


def lowered(name: str) -> str:
    """Within a sentence; names in capitals stay."""
    return name[:1].lower() + name[1:] if not name[1:2].isupper() else name


def per_unit(terms: Terms) -> str:
    return f"Cost per {unit(terms)}"


def chart_title(question: Question) -> str:
    terms = question.terms
    title = f"{terms.name} and cost" if terms.is_money else per_unit(terms)
    step = GRANULARITIES.get(question.query.granularity, "")
    return f"{title} {step}".strip()


def kpis(found: Answered, now: datetime) -> list[Kpi]:
    return money_kpis(found) if found.question.terms.is_money else unit_kpis(found, now)


def unit_kpis(found: Answered, now: datetime) -> list[Kpi]:
    terms, totals, currency = found.question.terms, found.answer.totals, found.currency
    if not terms.adds_up and totals.cost_per_unit is None:
        note = f"{lowered(terms.name)} do not add up: see each step"
    else:
        note = REASONS.get(totals.reason, "") or "of days of which both sides are known"
    return [
        Kpi(
            per_unit(terms),
            formats.money_short(totals.cost_per_unit, currency),
            exact(totals.cost_per_unit, currency),
            change=change_of(found, now),
            note="" if found.change else note,
        ),
        Kpi(
            terms.name,
            formats.count_short(totals.value),
            formats.MISSING if totals.value is None else f"{totals.value:,f}",
            note="do not add up" if not terms.adds_up else "in the period",
        ),
        *cost_kpis(found),
    ]


def money_kpis(found: Answered) -> list[Kpi]:
    terms, totals, currency = found.question.terms, found.answer.totals, found.currency
    margin = totals.margin
    share = totals.margin_percent
    return [
        Kpi(
            "Margin",
            formats.money_short(margin, currency),
            exact(margin, currency),
            note=REASONS.get(totals.reason, "") if margin is None else "what is matched of both",
            tone="warn" if margin is not None and margin < 0 else "",
        ),
        Kpi(
            "Margin, percent",
            formats.MISSING if share is None else formats.share_short(share, 100),
            note=f"of {lowered(terms.name)}",
        ),
        Kpi(
            terms.name,
            formats.money_short(totals.matched_value, currency),
            exact(totals.matched_value, currency),
            note="of days and months that are over",
        ),
        *cost_kpis(found),
    ]


def cost_kpis(found: Answered) -> list[Kpi]:
    totals, currency = found.answer.totals, found.currency
    left = [amount for state, amount in totals.by_state.items() if state != "matched"]
    apart = sum(left, Decimal(0))
    kind = "Fully loaded cost" if found.question.is_loaded else "Cost"
    note = f"{formats.money_short(apart, currency)} of it is in no figure" if apart else "all of it"
    unpriced = totals.unpriced_requests
    if unpriced:
        note += f"; {formats.count_short(unpriced)} requests have no price"
    return [
        Kpi(
            kind,
            formats.money_short(totals.cost, currency),
            exact(totals.cost, currency),
            note=note,
            tone="warn" if unpriced else "",
        )
    ]


def exact(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else formats.money_exact(amount, currency)


def change_of(found: Answered, now: datetime) -> Change | None:
    change, before = found.change, found.previous_question
    if change is None or before is None:
        return None
    name = period_text(before.query, now)
    tone = "" if change.after == change.before else "worse" if change.difference > 0 else "better"
    was = formats.money_long(change.before, found.currency)
    return Change(formats.change_short(change.after, change.before), f"{was} in {name}", tone, name)


def headline(found: Answered) -> str:
    """The finding: dearer or cheaper, and mostly why."""
    change, terms = found.change, found.question.terms
    assert change is not None
    if not change.difference:
        return f"One {terms.unit} costs what it did before"
    amount = formats.money_long(abs(change.difference), found.currency)
    more = "more" if change.difference > 0 else "less"
    by_cost = abs(change.due_to_cost) >= abs(change.due_to_outcomes)
    rose = (change.due_to_cost if by_cost else -change.due_to_outcomes) > 0
    why = "cost" if by_cost else f"the number of {plural(terms.unit)}"
    return f"One {terms.unit} costs {amount} {more}, mostly as {why} {'rose' if rose else 'fell'}"


def plural(name: str) -> str:
    return f"{name}s"


def steps(found: Answered, now: datetime) -> Steps:
    """From what one cost before to what one costs now."""
    change, currency = found.change, found.currency
    assert change is not None
    assert found.previous is not None
    assert found.previous_question is not None
    totals, before = found.answer.totals, found.previous.totals
    drawn = waterfall(change.before, [change.due_to_cost, change.due_to_outcomes])
    named = [
        (period_text(found.previous_question.query, now), change.before, counted(before, found)),
        ("Cost", change.due_to_cost, moved(totals.matched_cost, before.matched_cost)),
        (found.question.terms.name, change.due_to_outcomes,
         moved(totals.matched_value, before.matched_value)),
        (period_text(found.question.query, now), change.after, counted(totals, found)),
    ]  # fmt: skip
    lines = tuple(
        Line(name, formats.money_long(amount, currency), exact(amount, currency), bar, (note,))
        for (name, amount, note), bar in zip(named, drawn.bars, strict=True)
    )
    return Steps(lines, cut(drawn, currency), drawn.zero, currency)


def counted(held: Figure, found: Answered) -> str:
    cost = formats.money_long(held.matched_cost, found.currency)
    return f"{cost} for {formats.count_long(held.matched_value)}"


def moved(now: Decimal | None, before: Decimal | None) -> str:
    """How both sides moved, each of days of which both are known."""
    return formats.change_short(now, before)


def left_out(found: Answered) -> list[str]:
    """What of the cost is in no figure, in sentences."""
    held = found.answer.totals
    return [
        f"{formats.money_long(held.by_state[state], found.currency)} {text}."
        for state, text in STATES.items()
        if held.by_state.get(state)
    ]
