"""A month's reconciliation in words and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from finops import formats
from finops.bills import true_ups
from finops.bills.months import Reconciliation, Sum, summed
from finops.pages.explain.steps import Line, Steps, cut
from finops.pages.kpis import Kpi
from finops.reconciliation import PARTS, Cell
from finops.waterfall import waterfall

NAMES = {
    "coverage": "Coverage",
    "quantity": "Quantity",
    "price": "Price",
    "timing": "Timing",
    "credits": "Credits",
    "unexplained": "Unexplained",
}
MEANINGS = {
    "coverage": "known to one side alone, taxes and fees",
    "quantity": "other numbers of tokens",
    "price": "the same tokens at another price",
    "timing": "counted on a neighbouring day",
    "credits": "taken off by the provider",
    "unexplained": "the bill does not say how much was used",
}
UNSEEN = (
    "Billed and never seen here: a key or service whose calls send no events. Look which of the "
    "provider's keys no service of yours has, and instrument it."
)
WHAT_TO_DO = {
    "coverage": "Seen here and not billed: the report lacks a model or key, or the call was free.",
    "quantity": "The provider counts other numbers of tokens: some requests did not arrive, or the "
    "usage that they report is not the provider's own.",
    "price": "The same tokens at another price: a discount, a tier or a price that has changed.",
    "timing": "One side counts it on the day before or after. Nothing is to be done.",
    "credits": "The provider takes it off. Accept it as a true-up, or keep it as a credit.",
    "unexplained": "The bill has an amount and not how much was used. Import the usage report too.",
}
NO_MODEL = "No model named"
SMALL = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Row:
    """`parts` are in words; amounts are None where the bill names none."""

    name: str
    under: str
    href: str
    ours: str
    billed: str
    difference: str
    title: str
    parts: str
    status: str
    tone: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a part of the difference."""

    name: str
    amount: str
    text: str
    label: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is left of a provider's difference; `made` are true-ups that there are."""

    provider: str
    left: str
    amount: str
    made: int

    @property
    def is_open(self) -> bool:
        return bool(self.amount)


def kpis(total: Sum, currency: str) -> list[Kpi]:
    def money(label: str, amount: Decimal, note: str, tone: str = "") -> Kpi:
        short = formats.money_short(amount, currency)
        return Kpi(label, short, formats.money_exact(amount, currency), note=note, tone=tone)

    held, apart = total.statuses, total.statuses["no amount"]
    note = f"{held['explained']:,} explained, {held['unexplained']:,} unexplained"
    return [
        money("Billed", total.billed, "by the providers, of days that are compared"),
        money("Ours", total.ours, "of the same days and models"),
        money(
            "Difference",
            total.difference,
            "billed less ours",
            "warn" if abs(total.difference) > SMALL else "",
        ),
        Kpi(
            "Matched",
            f"{held['matched']:,}",
            note=f"model days; {note}" + (f", {apart:,} without an amount" if apart else ""),
            tone="warn" if held["unexplained"] else "",
        ),
    ]


def steps(total: Sum, currency: str) -> Steps:
    """From ours to what is billed; parts that are nothing are left out."""
    parts = {name: total.parts[name] for name in PARTS if total.parts[name]}
    drawn = waterfall(total.ours, list(parts.values()))
    named = [
        ("Ours", total.ours, ()),
        *((NAMES[name], amount, (MEANINGS[name],)) for name, amount in parts.items()),
        ("Billed", total.billed, ()),
    ]
    lines = tuple(
        Line(
            name,
            formats.money_long(amount, currency),
            formats.money_exact(amount, currency),
            bar,
            notes,
        )
        for (name, amount, notes), bar in zip(named, drawn.bars, strict=True)
    )
    return Steps(lines, cut(drawn, currency), drawn.zero, currency)


def headline(total: Sum, currency: str) -> str:
    difference = total.difference
    if abs(difference) <= SMALL:
        return "What was billed is what was used"
    more = "more" if difference > 0 else "less"
    first = max(PARTS, key=lambda name: abs(total.parts[name]))
    amount = formats.money_long(abs(difference), currency)
    return f"{amount} {more} is billed than we know of, mostly {NAMES[first].lower()}"


def models(found: Reconciliation) -> list[Row]:
    """By provider and model, the largest difference first."""
    held: dict[tuple[str, str], list[Cell]] = {}
    for cell in found.cells:
        held.setdefault((cell.key.provider, cell.key.model), []).append(cell)
    rows = [(summed(cells), provider, model, cells) for (provider, model), cells in held.items()]
    rows.sort(key=lambda row: (-abs(row[0].difference), row[1], row[2]))
    return [
        row_of(
            model or NO_MODEL,
            provider,
            address(found, provider, model),
            total,
            counted(total.statuses),
            found.currency,
            has_amount=any(cell.billed is not None for cell in cells),
        )
        for total, provider, model, cells in rows
    ]


def days(found: Reconciliation, provider: str, model: str) -> list[Row]:
    """The days of one model."""
    return [
        row_of(
            cell.key.day.isoformat(),
            quantities(cell),
            "",
            summed([cell]),
            cell.status,
            found.currency,
            has_amount=cell.billed is not None,
        )
        for cell in found.cells
        if (cell.key.provider, cell.key.model) == (provider, model)
    ]


def row_of(
    name: str, under: str, href: str, held: Sum, status: str, currency: str, *, has_amount: bool
) -> Row:
    def money(amount: Decimal) -> str:
        return formats.money_long(amount, currency) if has_amount else formats.MISSING

    parts = [
        f"{NAMES[part].lower()} {formats.money_long(held.parts[part], currency)}"
        for part in sorted(PARTS, key=lambda part: -abs(held.parts[part]))
        if abs(held.parts[part]) > SMALL
    ]
    title = formats.money_exact(held.difference, currency) if has_amount else ""
    tone = "warn" if held.statuses["unexplained"] else "ok" if held.statuses["matched"] else ""
    return Row(
        name,
        under,
        href,
        money(held.ours),
        money(held.billed),
        money(held.difference),
        title,
        ", ".join(parts) or formats.MISSING,
        status,
        tone,
    )


def counted(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in statuses.items() if count)


def quantities(cell: Cell) -> str:
    """Where the numbers of tokens differ."""
    found = [
        f"{kind.replace('_', ' ')} {formats.count_long(int(ours))}, billed "
        f"{formats.count_long(int(billed))}"
        for kind, (ours, billed) in cell.quantities.items()
        if billed is not None and billed != ours
    ]
    return "; ".join(found)


def address(found: Reconciliation, provider: str, model: str) -> str:
    asked = {"month": f"{found.month:%Y-%m}", "provider": provider, "model": model}
    return f"{reverse('reconcile')}?{urlencode(asked)}#days"


def advice(found: Reconciliation, cells: Sequence[Cell]) -> list[Advice]:
    """What to do, of each part that is something."""
    total = summed(cells)
    said = [of_part(name, found, cells, total) for name in PARTS if abs(total.parts[name]) > SMALL]
    if total.unpriced_requests:
        text = "These requests have no price here, so that ours lacks their cost. Add the price."
        count = f"{formats.count_long(total.unpriced_requests)} requests"
        said.append(Advice("Unpriced", count, text, "Unpriced models", reverse("prices-unpriced")))
    return said


def of_part(name: str, found: Reconciliation, cells: Sequence[Cell], total: Sum) -> Advice:
    amount = total.parts[name]
    first = max(cells, key=lambda cell: abs(cell.parts.get(name, Decimal(0)))).key
    is_unseen = name == "coverage" and amount > 0
    text = UNSEEN if is_unseen else WHAT_TO_DO[name]
    label, href = "", ""
    if is_unseen:
        label, href = "What comes in", reverse("ingest")
    elif name == "price" and first.model:
        asked = {"provider": first.provider, "model": first.model}
        label, href = "Prices of the model", f"{reverse('prices-model')}?{urlencode(asked)}"
    elif name in {"coverage", "quantity"} and first.model:
        asked = {"period": f"{found.month:%Y-%m}", "model": first.model}
        label, href = "Its requests", f"{reverse('requests')}?{urlencode(asked)}"
    mostly = f"{text} Mostly {first.model or first.provider}."
    return Advice(NAMES[name], formats.money_long(amount, found.currency), mostly, label, href)


def offers(found: Reconciliation) -> list[Offer]:
    """By provider."""
    listed = []
    for provider in found.providers:
        left = true_ups.remaining(found, provider)
        listed.append(
            Offer(
                provider,
                formats.money_long(left, found.currency),
                f"{left:f}" if abs(left) > SMALL else "",
                len(true_ups.accepted(found.month, provider)),
            )
        )
    return listed
