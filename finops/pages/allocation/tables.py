"""The tables of a month's allocation, as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from finops import formats
from finops.allocation import Line
from finops.cost_items import MonthAllocation, wording
from finops.cost_items.table import money
from finops.models import CostItem
from finops.periods import local_day

MOST_LINES = 500
COLUMNS = ("direct_cost", "shared_cost", "idle_cost", "adjustment", "total_cost")


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` are direct, shared, idle, adjustment and total."""

    name: str
    under: str
    href: str
    cells: Sequence[str]
    titles: Sequence[str]
    requests: str
    share: str
    width: str

    @property
    def pairs(self) -> list[tuple[str, str, str]]:
        """The money that is shown: label, cell and the exact amount."""
        return list(zip(LABELS, self.cells, self.titles, strict=True))


LABELS = ("Direct", "Shared", "Idle", "Adjustment", "Total")


@dataclass(frozen=True, slots=True)
class Capacity:
    name: str
    kind: str
    percent: str
    width: str
    fee: str
    used: str
    unused: str
    units: str
    until: str


@dataclass(frozen=True, slots=True)
class Charged:
    name: str
    href: str
    column: str
    amount: str
    how: str
    converted: str


@dataclass(frozen=True, slots=True)
class Borne:
    name: str
    column: str
    amount: str
    why: str


def centers(
    found: MonthAllocation, held: Mapping[str, Line], names: Mapping[str, str]
) -> list[Row]:
    month = f"{found.month:%Y-%m}"
    hrefs = [
        f"{reverse('allocation-cost-center')}?{urlencode({'month': month, 'code': code})}"
        for code in held
    ]
    labels = [(code, names.get(code, "")) for code in held]
    return rows(found, labels, hrefs, list(held.values()), found.allocation.totals)


def rows(
    found: MonthAllocation,
    labels: Sequence[tuple[str, str]],
    hrefs: Sequence[str],
    lines: Sequence[Line],
    whole: Line,
) -> list[Row]:
    columns = {}
    for name in COLUMNS:
        amounts = [money(line)[name] for line in lines]
        columns[name] = formats.money_column(amounts, money(whole)[name])[0]
    made = []
    for number, line in enumerate(lines):
        total = line.total_cost
        made.append(
            Row(
                *labels[number],
                href=hrefs[number] if hrefs else "",
                cells=[columns[name][number] for name in COLUMNS],
                titles=[formats.money_exact(each, found.currency) for each in money(line).values()],
                requests=formats.count_long(line.usage.requests),
                share=formats.share_short(total, whole.total_cost),
                width=width(total, whole.total_cost),
            )
        )
    return made


def width(part: Decimal, whole: Decimal) -> str:
    """Of a bar, in percent; '' where there is nothing to draw."""
    return f"{min(part * 100 / whole, Decimal(100)):.2f}" if whole > 0 and part > 0 else ""


def totals(found: MonthAllocation) -> Row:
    whole = found.allocation.totals
    return rows(found, [("All cost centers", "")], [], [whole], whole)[0]


def lines(found: MonthAllocation, code: str) -> list[Row]:
    """The dearest of a cost center."""
    own = [line for line in found.allocation.lines if line.key.cost_center == code]
    dearest = sorted(own, key=lambda line: (-line.total_cost, line.key))
    shown = dearest[:MOST_LINES]
    labels = [label(line) for line in shown]
    whole = found.allocation.by_cost_center()[code]
    if len(own) <= MOST_LINES:
        return rows(found, labels, [], shown, whole)
    rest = found.allocation.__class__(tuple(dearest[MOST_LINES:])).totals
    labels.append((f"{len(own) - MOST_LINES:,} more lines", "in the CSV"))
    return rows(found, labels, [], [*shown, rest], whole)


def label(line: Line) -> tuple[str, str]:
    """Its team and feature, and what they used."""
    if not any(line.key[1:]):
        return "Without usage", "what is shared out to the cost center itself"
    return f"{line.key.team} · {line.key.feature}", f"{line.key.provider} · {line.key.model}"


def adjustments(found: MonthAllocation, code: str) -> dict[str, Any]:
    """What the cost center bears of closed months, and why."""
    own = [each for each in found.allocation.adjustments if each.key.cost_center == code]
    return {
        "has_adjustments": bool(own),
        "adjustments": [
            {
                "of": f"{each.month:%B %Y}, version {each.version}",
                "what": " · ".join(part for part in each.key[1:] if part) or "Without usage",
                "reason": each.reason,
                "amount": formats.money_long(each.amount, ""),
            }
            for each in own[:MOST_LINES]
        ],
        "more_adjustments": max(len(own) - MOST_LINES, 0),
    }


def line_totals(found: MonthAllocation, code: str, whole: Line) -> Row:
    return rows(found, [(f"All of {code}", "")], [], [whole], whole)[0]


def capacity(found: MonthAllocation, now: datetime) -> list[Capacity]:
    zone, made = settings.REPORTING_ZONE, []
    today = local_day(now, zone)
    for use in found.capacity:
        held, unit = use.utilization, wording.UNITS[use.unit]
        used, whole = formats.count_short(held.used), formats.count_short(held.capacity)
        beyond = f", {formats.count_short(held.beyond)} beyond" if held.beyond else ""
        made.append(
            Capacity(
                name=use.name,
                kind=CostItem.Kind(use.kind).label,
                percent=formats.share_short(held.used, held.capacity),
                width=width(held.used, held.capacity),
                fee=formats.money_long(held.fee, ""),
                used=formats.money_long(held.used_fee, ""),
                unused=formats.money_long(held.unused_fee, ""),
                units=f"{used} of {whole} {unit}{beyond}",
                until=formats.moment(use.until, zone, today) if found.is_running else "",
            )
        )
    return made


def charges(found: MonthAllocation) -> list[Charged]:
    """In the order in which they were shared out."""
    made = []
    for each in found.charges:
        draft = found.items[each.item].draft
        href = reverse("settings-cost-item", args=[int(each.item)]) if each.item.isdigit() else ""
        column = "Idle" if each.column == "idle_cost" else "Shared"
        made.append(
            Charged(
                each.name,
                href,
                column,
                formats.money_long(each.amount, ""),
                wording.method(draft, each.column),
                f"{wording.amount(draft, draft.currency)}; {each.converted}"
                if each.converted
                else "",
            )
        )
    return made


def shares(found: MonthAllocation, code: str) -> list[Borne]:
    return [
        Borne(
            each.name,
            "Idle" if each.column == "idle_cost" else "Shared",
            formats.money_long(each.amount, ""),
            wording.reason(each),
        )
        for each in found.allocation.shares
        if each.cost_center == code
    ]
