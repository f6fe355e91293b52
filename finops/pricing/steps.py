"""One model's prices over time as a step chart: what the ledger says now, and what it said before.

Charts are for looking at, so prices become floats here; the table says them exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finops import formats
from finops.charts import Chart, escaped, layout
from finops.pricing.lines import PriceLine
from finops.pricing.terms import MILLION

Trace = dict[str, Any]
Span = tuple[datetime, datetime, Decimal, int]
SHOWN = (
    ("uncached_input", "Input", "series-1"),
    ("cache_read_input", "Input, from cache", "series-2"),
    ("text_output", "Output", "series-3"),
)
KINDS = {"catalog": "list price", "contract": "contract", "self_hosted": "self-hosted"}
AT_LEAST = timedelta(days=90)


def price_steps(
    held: Sequence[tuple[PriceLine, datetime, datetime | None]], now: datetime
) -> Chart:
    """`held` are lines with when each was written and superseded (None: it stands).

    Drawn are prices per token of the standard tier and context length; a line that stands is drawn
    from its own start, one that was superseded dotted, for the time in which it was used.
    """
    lines = [each for each in held if _is_usual(each[0])]
    currencies = {line.currency for line, *_ in lines}
    currency = next(iter(currencies)) if len(currencies) == 1 else ""
    title = f"Price history, {currency or 'each in its currency,'} per million tokens"
    starts = [at for line, *_ in lines for at in (line.effective_from, line.effective_to) if at]
    starts += [until for _, _, until in lines if until]
    first = min([now - AT_LEAST, *starts]) - timedelta(days=10)
    last = max([now, *starts]) + timedelta(days=10)
    spans: defaultdict[tuple[str, str, str, str], list[Span]] = defaultdict(list)
    for line, written, until in lines:
        begins = max(line.effective_from or first, first if until is None else written)
        ends = min(line.effective_to or last, until or last)
        for bucket, name, role in SHOWN:
            price = getattr(line.prices, bucket)
            if price is not None and begins < ends:
                label = f"{name}, {KINDS.get(line.kind, '')}"
                label += "" if currency else f", {line.currency}"
                spans[label, role, _dash(line, until), name].append((begins, ends, price, line.id))
    data = [
        _steps(label, role, dash, found, currency)
        for (label, role, dash, _), found in spans.items()
    ]
    legend = {role for _, role, _, _ in spans}
    if not data:
        return Chart(title, None, "No line that names prices per token is for this model.")
    return Chart(
        title,
        {"data": data, "layout": _layout(data, currency, first, last, now)},
        legend=tuple((role, name) for _, name, role in SHOWN if role in legend),
    )


def _is_usual(line: PriceLine) -> bool:
    return (
        line.service_tier in ("", "standard")
        and line.context_over == 0
        and line.daily_from is None
        and line.has_prices
    )


def _dash(line: PriceLine, until: datetime | None) -> str:
    if until is not None:
        return "dot"
    return "dash" if line.kind == "contract" else "solid"


def _steps(name: str, role: str, dash: str, spans: list[Span], currency: str) -> Trace:
    """One line of steps; where a price ends and none follows at once, it is broken."""
    x: list[str | None] = []
    y: list[float | None] = []
    texts: list[str] = []
    before = None
    for begins, ends, price, pk in sorted(spans, key=lambda span: span[:2]):
        if before is not None and before != begins:
            x, y, texts = [*x, None], [*y, None], [*texts, ""]
        text = f"{formats.money_exact(price / MILLION, currency)} (#{pk})"
        x += [begins.isoformat(), ends.isoformat()]
        y += [float(price / MILLION)] * 2
        texts += [text, text]
        before = ends
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escaped(name),
        "meta": escaped(name),
        "x": x,
        "y": y,
        "customdata": texts,
        "hovertemplate": "%{meta}  <b>%{customdata}</b><extra></extra>",
        "line": {"color": f"role:{role}", "width": 2.5, "shape": "hv", "dash": dash},
    }


def _layout(
    data: list[Trace], currency: str, first: datetime, last: datetime, now: datetime
) -> Trace:
    found = layout(
        [], "effective_cost", currency, max(y or 0 for trace in data for y in trace["y"])
    )
    step = (last - first) / 7
    ticks = [first + step * number for number in range(1, 7)]
    found["hovermode"] = "closest"
    found["xaxis"] = {
        "type": "date",
        "range": [first.isoformat(), last.isoformat()],
        "tickmode": "array",
        "tickvals": [at.isoformat() for at in ticks],
        "ticktext": [formats.day(at.date(), now.date()) for at in ticks],
        "tickangle": 0,
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "linecolor": "role:border-strong",
    }
    found["shapes"] = [
        {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": now.isoformat(),
            "x1": now.isoformat(),
            "line": {"color": "role:text-muted", "width": 1, "dash": "dot"},
        }
    ]
    return found
