"""A month's reconciliation in words and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from finops import formats
from finops.bills import true_ups
from finops.bills.months import Reconciliation, Sum, summed
from finops.pages.explain.steps import Line, Steps, cut
from finops.pages.kpis import Kpi
from finops.pages.reconcile.advice import MEANINGS, NAMES, SMALL
from finops.reconciliation import PARTS, Cell
from finops.waterfall import waterfall

NO_MODEL = "No model named"
STATUSES = (
    ("explained", "explained"),
    ("unexplained", "unexplained"),
    ("unpriced", "without a price"),
    ("no amount", "without an amount"),
)
NEEDED = ("explained", "unexplained")


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

    held = total.statuses
    rest = ", ".join(
        f"{held[name]:,} {word}" for name, word in STATUSES if held[name] or name in NEEDED
    )
    if total.matched:
        rest += f"; matched ones differ by {formats.money_long(total.matched, currency)} in all"
    if not total.cells:
        missing = formats.MISSING
        return [
            Kpi("Billed", missing, note="no report that is in names an amount"),
            Kpi("Matched", missing, note=f"model days: {rest}"),
        ]
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
            note=f"model days; {rest}",
            tone="warn" if held["unexplained"] else "",
        ),
    ]


def steps(total: Sum, currency: str) -> Steps | None:
    """From ours to what is billed; parts that are nothing are left out. None where no amount is
    billed."""
    if not total.cells:
        return None
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
    if not total.cells:
        return "What was billed is not known: the reports count usage, without amounts"
    if abs(difference) <= SMALL:
        whole = sum(total.statuses.values()) == total.statuses["matched"]
        return f"What was billed is what was used{'' if whole else ', in all'}"
    more = "more" if difference > 0 else "less"
    first = max(PARTS, key=lambda name: abs(total.parts[name]))
    amount = formats.money_long(abs(difference), currency)
    return f"{amount} {more} is billed than we know of, mostly {NAMES[first].lower()}"


def models(found: Reconciliation) -> list[Row]:
    """By provider and model, the largest difference first."""
    held: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in found.cells:
        held.setdefault((cell.key.provider, cell.key.model, cell.key.account), []).append(cell)
    rows = [(summed(cells), *key, cells) for key, cells in held.items()]
    rows.sort(key=lambda row: (-abs(row[0].difference), *row[1:4]))
    return [
        row_of(
            model or NO_MODEL,
            f"{provider} · {account}" if account else provider,
            "" if found.by_account else address(found, provider, model),
            total,
            counted(total.statuses),
            found.currency,
            has_amount=any(cell.billed is not None for cell in cells),
        )
        for total, provider, model, account, cells in rows
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
    is_open = held.statuses["unexplained"] or held.statuses["unpriced"]
    tone = "warn" if is_open else "ok" if held.statuses["matched"] else ""
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
