"""When a threshold is reached, told and armed again: pure rules over what was found before.

R1  It is reached at `>=`, once in a period: a reached one is held until it is armed again.
R2  Forecasts and burn rates rise and fall, and so does a rolling sum: held until found below for
    CALM evaluations in a row, and reached anew on another day at the earliest.
R3  Of several at once the highest is told; the others are held, untold. So is one below what is
    held already, as when it is added late, and a forecast of no more than was spent.
R4  A new amount (`revision`) arms what it lifts above the figure.
What is not known (a forecast without enough days, anything while the pipeline stands still) leaves
everything as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

ACTUAL, FORECAST, BURN_RATE = "actual", "forecast", "burn_rate"
PERCENT = "percent"
HUNDRED = Decimal(100)
CALM = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One threshold as money in this period; `number` is the threshold's."""

    number: int
    basis: str
    money: Decimal
    window_hours: int | None = None

    @property
    def height(self) -> Decimal:
        """By which lines of one basis compare: money, or of burn rates money by the hour."""
        return self.money / self.window_hours if self.window_hours else self.money


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured: None, and windows that are not there, are not known."""

    actual: Decimal | None
    forecast: Decimal | None = None
    burn: Mapping[int, Decimal] | None = None

    def of(self, line: Line) -> Decimal | None:
        if line.basis == ACTUAL:
            return self.actual
        if line.basis == FORECAST:
            return self.forecast
        return (self.burn or {}).get(line.window_hours or 0)


@dataclass(frozen=True, slots=True)
class Held:
    """The last generation of a crossing, as the database has it."""

    number: int
    generation: int
    money: Decimal
    revision: int
    crossed_on: date
    is_rearmed: bool
    calm: int


@dataclass(frozen=True, slots=True)
class Reached:
    line: Line
    generation: int
    is_told: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What is new: crossings, and former ones of which `calm` or `is_rearmed` has changed."""

    reached: tuple[Reached, ...] = ()
    changed: tuple[Held, ...] = ()


def money_of(kind: str, value: Decimal, amount: Decimal | None) -> Decimal | None:
    """What a threshold on spending means as money; None for a share of no amount."""
    if kind != PERCENT:
        return value
    return amount * value / HUNDRED if amount else None


def burn_money(
    kind: str, value: Decimal, window_hours: int, amount: Decimal | None, period_hours: int
) -> Decimal | None:
    """What a threshold on a burn rate means as money within its window: percent are of the even
    pace, by which the amount would last just for the period."""
    whole = money_of(kind, value, amount)
    if whole is None or kind != PERCENT:
        return whole
    return whole * window_hours / period_hours


def decide(
    lines: Sequence[Line],
    found: Found,
    held: Mapping[int, Held],
    *,
    today: date,
    revision: int = 0,
    before: Found | None = None,
    is_rolling: bool = False,
) -> Decision:
    """`held` are the last generations in this period, by threshold; `before` is what the evaluation
    before this one found, in the same period."""
    due: list[tuple[Line, int]] = []
    changed: list[Held] = []
    for line in lines:
        measured = found.of(line)
        if measured is None:
            continue
        former = held.get(line.number)
        latches = is_rolling or line.basis != ACTUAL
        if measured >= line.money:
            if former is None:
                due.append((line, 0))
            elif not former.is_rearmed:
                if _was_lifted(former, line, before, revision):
                    due.append((line, former.generation + 1))
                elif former.calm:
                    changed.append(replace(former, calm=0))
            elif not latches or former.crossed_on < today or former.revision < revision:
                due.append((line, former.generation + 1))
        elif former is not None and not former.is_rearmed:
            after = _calmed(former, line, latches=latches, revision=revision)
            if after != former:
                changed.append(after)
    return Decision(_told(due, lines, found, held, changed), tuple(changed))


def _was_lifted(former: Held, line: Line, before: Found | None, revision: int) -> bool:
    """Whether a new amount had lifted it above the figure, which has reached it again since."""
    if before is None or former.revision >= revision or line.money <= former.money:
        return False
    earlier = before.of(line)
    return earlier is not None and earlier < line.money


def _calmed(former: Held, line: Line, *, latches: bool, revision: int) -> Held:
    """After an evaluation that found less than the line."""
    if former.revision < revision and line.money > former.money:
        return replace(former, is_rearmed=True)
    if not latches:
        return former
    calm = former.calm + 1
    return replace(former, calm=calm, is_rearmed=calm >= CALM)


def _told(
    due: Sequence[tuple[Line, int]],
    lines: Sequence[Line],
    found: Found,
    held: Mapping[int, Held],
    changed: Sequence[Held],
) -> tuple[Reached, ...]:
    after = {**held, **{each.number: each for each in changed}}
    highest: dict[str, Decimal] = {}
    for line in lines:  # what was told before and still holds
        former, measured = after.get(line.number), found.of(line)
        is_new = any(each.number == line.number for each, _ in due)
        is_held = former is not None and not former.is_rearmed and not is_new
        if is_held and measured is not None and measured >= line.money:
            highest[line.basis] = max(highest.get(line.basis, line.height), line.height)
    reached = []
    for line, generation in sorted(due, key=lambda each: -each[0].height):
        is_spent = line.basis == FORECAST and (found.actual or 0) >= line.money
        is_highest = line.basis not in highest or line.height > highest[line.basis]
        if is_told := is_highest and not is_spent:
            highest[line.basis] = line.height
        reached.append(Reached(line, generation, is_told))
    return tuple(reached)
