"""Who bears what of a month: direct cost by line, and charges shared out in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal

from finops.allocation.charges import Charge, Measure, Percent, problem_of
from finops.allocation.lines import (
    ZERO,
    Adjustment,
    Allocation,
    Line,
    LineKey,
    Share,
    Usage,
    add_up,
)
from finops.allocation.splitting import CENT, split
from finops.pricing.formula import EXACT
from finops.query import UNATTRIBUTED

# Cost centers bear whole cents of a charge; their lines, of which there may be thousands, parts of
# them as fine as money is shown anywhere.
FINEST = Decimal("1e-12")
ROUNDED = Context(prec=EXACT.prec, rounding=ROUND_HALF_EVEN)


def allocate(
    direct: Iterable[tuple[LineKey, Usage]],
    charges: Sequence[Charge] = (),
    adjustments: Sequence[Adjustment] = (),
    *,
    unit: Decimal = CENT,
) -> Allocation:
    """The month's lines. Each column adds up to its total to the last digit: direct cost to that of
    the usage, the others to their charges and adjustments. The order of usage does not matter; that
    of charges does where one is measured by what was borne so far.

    `unit` is the smallest coin of the reporting currency. Raises ValueError where a charge cannot
    be shared out.
    """
    lines: dict[LineKey, Line] = {}
    for key, usage in direct:
        held = lines.get(key, Line(key))
        lines[key] = Line(key, held.usage + usage)
    shares: list[Share] = []
    for charge in charges:
        if problem := problem_of(charge):
            raise ValueError(f"{charge.name}: {problem}")
        shares += bear(charge, lines, unit)
    for each in adjustments:
        add(lines, each.key, "adjustment", each.amount)
    ordered = tuple(lines[key] for key in sorted(lines))
    return Allocation(ordered, tuple(shares), tuple(adjustments))


def bear(charge: Charge, lines: dict[LineKey, Line], unit: Decimal) -> list[Share]:
    """Write the charge into the lines; what each cost center took."""
    measured = measures(charge, charge.measure, lines)
    amount = amount_of(charge, lines, unit)
    weights = weights_of(charge, measured)
    taken = split(amount, weights, unit) if amount else {}
    every = add_up(max(weight, ZERO) for weight in weights.values())
    own = by_center(measured)
    for center, part in taken.items():
        if part:
            spread(charge, center, part, lines, own.get(center, {}))
    for key, part in charge.paid.items():
        add(lines, key, charge.column, -part)
        taken[key.cost_center] = EXACT.subtract(taken.get(key.cost_center, ZERO), part)
    return [
        Share(
            charge.item, charge.name, charge.column, center, part,
            charge.method, charge.measure, max(weights.get(center, ZERO), ZERO), every,
        )
        for center, part in sorted(taken.items())
        if part
    ]  # fmt: skip


def measures(
    charge: Charge, measure: Measure, lines: Mapping[LineKey, Line]
) -> dict[LineKey, Decimal]:
    """How much each line comes to, of those that are meant."""
    meant = (
        {key: Line(key, usage) for key, usage in charge.scope.items()}
        if charge.scope is not None
        else lines
    )
    measured = {key: measure_of(measure, line) for key, line in meant.items()}
    if measure == "used":
        measured |= charge.used
    return {
        key: weight
        for key, weight in measured.items()
        if charge.targets is None or key.cost_center in charge.targets
    }


def measure_of(measure: Measure, line: Line) -> Decimal:
    match measure:
        case "used":
            return ZERO
        case "so_far":
            return line.total_cost
        case "requests":
            return Decimal(line.usage.requests)
        case "tokens":
            return Decimal(line.usage.input_tokens + line.usage.output_tokens)
        case "direct_cost":
            return line.direct_cost


def amount_of(charge: Charge, lines: Mapping[LineKey, Line], unit: Decimal) -> Decimal:
    """In the reporting currency; what follows from a percentage is rounded to its smallest coin."""
    if not isinstance(charge.amount, Percent):
        return charge.amount
    base = add_up(measures(charge, charge.amount.of, lines).values())
    share = EXACT.scaleb(EXACT.multiply(base, charge.amount.percent), -2)
    return share.quantize(unit, context=ROUNDED)


def weights_of(charge: Charge, measured: Mapping[LineKey, Decimal]) -> dict[str, Decimal]:
    """Each cost center's weight; never empty."""
    if charge.method == "weighted":
        return dict(charge.weights)
    if charge.method == "fixed":
        rest = Decimal(100) - add_up(charge.weights.values())
        given = dict(charge.weights)
        if rest:
            given[charge.fallback] = given.get(charge.fallback, ZERO) + rest
        return given
    centers = dict.fromkeys((key.cost_center for key in measured), ZERO)
    centers |= dict.fromkeys(charge.targets or (), ZERO)
    if charge.method == "even":
        # Who has no cost center takes no equal part, unless nobody else is there.
        named = [each for each in centers if each != UNATTRIBUTED] or list(centers)
        return dict.fromkeys(named, Decimal(1)) or {charge.fallback: Decimal(1)}
    for key, weight in measured.items():
        centers[key.cost_center] = EXACT.add(centers[key.cost_center], max(weight, ZERO))
    if not any(centers.values()) and not charge.targets:
        return {charge.fallback: Decimal(1)}
    return centers


def by_center(measured: Mapping[LineKey, Decimal]) -> dict[str, dict[LineKey, Decimal]]:
    """Each cost center's lines that weigh anything."""
    found: dict[str, dict[LineKey, Decimal]] = {}
    for key, weight in measured.items():
        if weight > 0:
            found.setdefault(key.cost_center, {})[key] = weight
    return found


def spread(
    charge: Charge,
    center: str,
    part: Decimal,
    lines: dict[LineKey, Line],
    own: Mapping[LineKey, Decimal],
) -> None:
    """A cost center's part over `own` lines; a line without usage where none weighs anything."""
    if not own:
        add(lines, LineKey(center), charge.column, part)
        return
    for key, amount in split(part, own, FINEST).items():
        if amount:
            add(lines, key, charge.column, amount)


def add(lines: dict[LineKey, Line], key: LineKey, column: str, amount: Decimal) -> None:
    lines[key] = lines.get(key, Line(key)).plus(column, amount)
