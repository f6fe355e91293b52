"""Which lines of a new catalogue somebody has to look at before they may rate anything.

A wrong price in a catalogue is nearly always wrong by its unit: per token, per thousand and per
million are mixed up, or input and output, or a cache's storage and its writes. So three things are
asked of a line that the ledger does not hold yet:

jump   against the line in force, does any unit price change by ten times or more, or become or
       cease to be zero for a model that is in use?
shape  can its prices belong together? See _shapes; the limits let through all but a handful of
       the two thousand models that catalogues list today.
first  without a predecessor: is it above what nearly every model costs, and does the second
       source say something ten times different? A second source that says the same within a factor
       of two answers for such a price and for its shape; for a jump nobody answers but a person.

A line that is held leaves the old prices in force over its dates, or, without a predecessor, none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from finops.pricing.lines import BUCKETS, TOKEN_BUCKETS, PriceLine, UnitPrices

MILLION = 1_000_000
JUMP = 10
AGREE = 2
# USD per million tokens; the ordinary lists end at 75 in and 150 out.
DEAREST = {
    bucket: Decimal(300 if "output" in bucket else 100) / MILLION for bucket in TOKEN_BUCKETS
}
DEAREST_REQUEST = Decimal(1)
# Real list prices beyond a limit, each as its maker publishes it.
VERIFIED = frozenset(
    {
        *("o1-pro", "o1-pro-2025-03-19", "openai/o1-pro"),  # 150 in, 600 out
        "@cf/meta/llama-guard-3-8b",  # a classifier: 0.484 in, 0.03 out
    }
)
# In these buckets the price may be this many times the plain input's, and no more.
OVER_INPUT = {
    "cache_read_input": Decimal("1.25"),
    "cache_creation_5m_input": Decimal(5),
    "cache_creation_1h_input": Decimal(5),
    "input_audio": Decimal(100),
    "text_output": Decimal(50),
}
LEAST_OUTPUT = Decimal(1) / 15

Key = tuple[object, ...]


class Finding(NamedTuple):
    """Why a line is held. `ratio` is new : old, None from zero or without an old price."""

    rule: str
    bucket: str
    old: Decimal | None
    new: Decimal | None
    ratio: Decimal | None
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A line that is not applied, and what stays in force instead (None: nothing)."""

    fingerprint: str
    line: PriceLine
    instead: UnitPrices | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a new catalogue is judged by.

    `current` are the catalogue lines in force; `references` the second source's prices by
    (provider, model); `used` the (provider, model) that requests came for; `accepted` the
    fingerprints that somebody has let through.
    """

    current: Sequence[PriceLine]
    references: Mapping[tuple[str, str], UnitPrices]
    used: Collection[tuple[str, str]]
    accepted: Collection[str]


def key(line: PriceLine) -> Key:
    """Lines of one key follow each other in time."""
    return (
        *(line.provider, line.model, line.service_tier, line.context_over),
        *(line.daily_from, line.daily_to),
    )


def fingerprint(line: PriceLine) -> str:
    """Names these prices of this key, from whenever on: what a decision holds for."""
    parts = [str(part) for part in key(line)]
    parts += ["-" if price is None else f"{price.normalize():f}" for price in line.prices]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def sift(
    wanted: Iterable[PriceLine], known: Knowledge, now: datetime
) -> tuple[list[PriceLine], list[Held]]:
    """The lines that may be applied, old prices standing in where new ones are held, and those."""
    current = _by_key(known.current)
    applied: list[PriceLine] = []
    held: dict[str, Held] = {}
    for each, lines in _by_key(wanted).items():
        before: PriceLine | None = None
        for line in sorted(lines, key=_start):
            old = _in_force(current.get(each, ()), line, now) or _adjoining(before, line)
            kept = line
            if fingerprint(line) not in known.accepted:
                findings = tuple(_judge(line, old.prices if old else None, known))
                if findings:
                    instead = old.prices if old else None
                    held[fingerprint(line)] = Held(fingerprint(line), line, instead, findings)
                    if old is None:
                        continue
                    # As the ledger has it, so that nothing changes there while it is held.
                    kept = replace(line, prices=old.prices, note=old.note)
            applied.append(kept)
            before = kept
    return applied, list(held.values())


def _by_key(lines: Iterable[PriceLine]) -> dict[Key, list[PriceLine]]:
    grouped: dict[Key, list[PriceLine]] = {}
    for line in lines:
        grouped.setdefault(key(line), []).append(line)
    return grouped


def _start(line: PriceLine) -> datetime:
    return line.effective_from or datetime.min.replace(tzinfo=UTC)


def _in_force(lines: Iterable[PriceLine], line: PriceLine, now: datetime) -> PriceLine | None:
    """What the ledger says for when the line begins, or for today where it has no beginning."""
    end = line.effective_to
    at = line.effective_from or (min(now, end - timedelta(microseconds=1)) if end else now)
    return next(
        (
            old
            for old in lines
            if _start(old) <= at and (old.effective_to is None or at < old.effective_to)
        ),
        None,
    )


def _adjoining(before: PriceLine | None, line: PriceLine) -> PriceLine | None:
    return before if before and before.effective_to == line.effective_from else None


def _judge(line: PriceLine, old: UnitPrices | None, known: Knowledge) -> Iterator[Finding]:
    new = line.prices
    if old == new:
        return
    name = (line.provider, line.model)
    if old is not None:
        yield from _jumps(old, new, is_used=name in known.used)
    is_plain = not line.service_tier and not line.context_over and line.daily_from is None
    other = known.references.get(name) if is_plain else None
    if line.model in VERIFIED or (other and _agrees(new, other)):
        return
    yield from _shapes(new)
    if old is None:
        yield from _bounds(new)
        if other:
            yield from _differences(new, other)


def _pairs(old: UnitPrices, new: UnitPrices) -> Iterator[tuple[str, Decimal, Decimal]]:
    for bucket, before, after in zip(BUCKETS, old, new, strict=True):
        if before is not None and after is not None and before != after:
            yield bucket, before, after


def _is_far(before: Decimal, after: Decimal) -> bool:
    return after >= before * JUMP or before >= after * JUMP


def _jumps(old: UnitPrices, new: UnitPrices, *, is_used: bool) -> Iterator[Finding]:
    for bucket, before, after in _pairs(old, new):
        if not before or not after:
            if is_used:
                what = "becomes free" if before else "is no longer free"
                ratio = after / before if before else None
                yield Finding("zero", bucket, before, after, ratio, f"{what}, and is in use")
        elif _is_far(before, after) and not _is_first_discount(bucket, old, new):
            text = f"changes by {JUMP} times or more"
            yield Finding("jump", bucket, before, after, after / before, text)


def _is_first_discount(bucket: str, old: UnitPrices, new: UnitPrices) -> bool:
    """Cache reads without a price of their own cost what the input does; now they have one."""
    return (
        bucket == "cache_read_input"
        and old.cache_read_input == old.uncached_input
        and not _is_far(old.uncached_input or Decimal(0), new.uncached_input or Decimal(0))
    )


def _differences(new: UnitPrices, other: UnitPrices) -> Iterator[Finding]:
    for bucket, said, price in _pairs(other, new):
        if said and price and _is_far(said, price):
            text = f"is {JUMP} times or more from what the second source says"
            yield Finding("source", bucket, said, price, price / said, text)


def _shapes(new: UnitPrices) -> Iterator[Finding]:
    whole = new.uncached_input
    if not whole:
        return
    for bucket, times in OVER_INPUT.items():
        price: Decimal | None = getattr(new, bucket)
        if price is not None and price > whole * times:
            text = f"costs more than {times} times the input"
            yield Finding("shape", bucket, whole, price, price / whole, text)
    output = new.text_output
    if output and output < whole * LEAST_OUTPUT:
        text = "costs less than a fifteenth of the input"
        yield Finding("shape", "text_output", whole, output, output / whole, text)


def _bounds(new: UnitPrices) -> Iterator[Finding]:
    limits: Callable[[str], Decimal | None] = {**DEAREST, "request": DEAREST_REQUEST}.get
    for bucket, price in zip(BUCKETS, new, strict=True):
        limit = limits(bucket)
        if price is not None and limit is not None and price > limit:
            unit = "a request" if bucket == "request" else "a million tokens"
            shown = limit if bucket == "request" else limit * MILLION
            text = f"is new and above {shown.normalize():f} USD {unit}"
            yield Finding("bound", bucket, None, price, None, text)


def _agrees(new: UnitPrices, other: UnitPrices) -> bool:
    """Whether the second source knows input and output and is near both."""
    for price, said in zip(
        (new.uncached_input, new.text_output),
        (other.uncached_input, other.text_output),
        strict=True,
    ):
        if (price is None) != (said is None):
            return False
        if price is not None and said is not None and not said <= price * AGREE <= said * AGREE**2:
            return False
    return True
