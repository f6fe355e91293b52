"""What has no price, and the command that gives it one."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from decimal import Decimal

from finops import costs
from finops.costs import CostResult, CostRow, Value
from finops.labels import ADDITIVE
from finops.pages.links import address
from finops.pages.tables import UNPRICED
from finops.query import CostQuery

USUAL_BUCKETS = ("uncached_input", "text_output", "reasoning_output")
COMMANDS = 5


@dataclass(frozen=True, slots=True)
class Remedy:
    """The commands for the models with the most unpriced requests; `more` models have others."""

    commands: tuple[str, ...]
    more: int


def unpriced_href(query: CostQuery) -> str:
    """Prices are of a provider's model, so that is what is listed."""
    return address(
        "explore",
        query.replace(
            metrics=(UNPRICED,), group_by=("provider", "model"), limit=None, compare=False
        ),
    )


def only_unpriced(result: CostResult) -> CostResult:
    """The rows with unpriced requests, where those are what is asked for, and their totals."""
    metrics = result.query.metrics
    rows = [row for row in result.rows if row.values[metrics[0]]]
    if metrics[0] != UNPRICED or not rows or not ADDITIVE.issuperset(metrics):
        return result
    return replace(result, rows=rows, totals={name: total(rows, name) for name in metrics})


def total(rows: list[CostRow], metric: str) -> Value:
    """Unknown where all of it is, as in a row."""
    known = [Decimal(value) for row in rows if (value := row.values[metric]) is not None]
    if not known:
        return None
    whole = sum(known, Decimal(0))
    return whole if metric.endswith("_cost") else int(whole)


def remedy(query: CostQuery) -> Remedy | None:
    """None where every request has a price."""
    models = query.replace(
        metrics=(UNPRICED,),
        group_by=("provider", "model"),
        granularity="total",
        limit=None,
        compare=False,
    )
    keys = [row.keys for row in costs.run(models).rows if row.values[UNPRICED]]
    if not keys:
        return None
    commands = tuple(price_command(provider, model) for provider, model in keys[:COMMANDS])
    return Remedy(commands, len(keys) - len(commands))


def price_command(provider: str, model: str) -> str:
    """For a shell; both names are the sender's, so nothing in them may be more than a word.

    Asks for the buckets that are usual: a price that leaves out a bucket leaves the requests
    unpriced that used it.
    """
    words = ["kind=contract", f"provider={provider}", f"model={model}"]
    prices = " ".join(f"{name}_price_per_million=…" for name in USUAL_BUCKETS)
    return f".venv/bin/python manage.py add_price {shlex.join(words)} {prices}"
