"""A price file in LiteLLM's format → unit prices by the catalogue's names, to compare with.

The file is an object: name → entry, with USD per single token as JSON numbers, no dates and no
history. Prices by context length, tier, image and second are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from finops.pricing.matching import CatalogModel, match

MAX_BYTES = 16 * 1024 * 1024
MAX_ENTRIES = 20_000
LONGEST_NAME = 400
# Not a price: it explains the format.
EXPLANATION = "sample_spec"
BUCKETS = {
    "input_cost_per_token": "uncached_input",
    "cache_read_input_token_cost": "cache_read_input",
    "cache_creation_input_token_cost": "cache_creation_5m_input",
    "cache_creation_input_token_cost_above_1hr": "cache_creation_1h_input",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_token": "text_output",
    "output_cost_per_reasoning_token": "reasoning_output",
    "output_cost_per_audio_token": "output_audio",
    "input_cost_per_request": "request",
}
# What the ledger can hold: nothing smaller, and nobody asks that much for one token or request.
DECIMALS = 30
TOO_DEAR = Decimal(1_000_000)


class InvalidFile(ValueError):
    """The file as a whole is no price file; the message says what is wrong."""


class Problem(NamedTuple):
    """One entry or field that was left out, and why."""

    name: str
    field: str
    message: str


class Entry(NamedTuple):
    name: str
    provider: str
    prices: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Reference:
    """The prices of a file: by the catalogue's model, the name in the file and price by bucket.

    `unknown` counts entries of models that the catalogue does not list.
    """

    models: dict[tuple[str, str], Entry]
    entries: int
    unknown: int
    problems: tuple[Problem, ...]


def read(content: bytes) -> Reference:
    """Raises InvalidFile. An entry that is wrong is left out and named in `problems`."""
    problems: list[Problem] = []
    entries = list(_entries(_object(content), problems))
    models: dict[tuple[str, str], Entry] = {}
    unknown = 0
    for entry in entries:
        found = match(entry.provider, entry.name)
        if found is None or found.provider != found.owner:
            unknown += 1
            continue
        name = (found.provider, found.model)
        known = models.get(name)
        if known is None or _nearness(entry, found) < _nearness(known, found):
            models[name] = entry
    return Reference(models, len(entries), unknown, tuple(problems))


def _nearness(entry: Entry, model: CatalogModel) -> tuple[bool, int, str]:
    """Several names may stand for one model: the plain one first."""
    plain = {model.model, f"{model.provider}/{model.model}", f"{entry.provider}/{model.model}"}
    return entry.name not in plain, len(entry.name), entry.name


def _object(content: bytes) -> dict[str, object]:
    if len(content) > MAX_BYTES:
        raise InvalidFile(f"The file is larger than {MAX_BYTES >> 20} MiB.")
    try:
        found = json.loads(content, parse_float=Decimal, parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise InvalidFile(f"The file is no valid JSON: {error}"[:300]) from None
    if not isinstance(found, dict) or not found:
        raise InvalidFile("Write one JSON object: model name → prices, as LiteLLM does.")
    if len(found) > MAX_ENTRIES:
        raise InvalidFile(f"The file has more than {MAX_ENTRIES:,} entries.")
    return found


def _integer(digits: str) -> Decimal:
    return Decimal(digits)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _entries(listed: dict[str, object], problems: list[Problem]) -> Iterator[Entry]:
    for name, entry in listed.items():
        if name == EXPLANATION:
            continue
        if len(name) > LONGEST_NAME or not name.isprintable():
            shown = ascii(name[:80])[1:-1]  # half a surrogate pair can be written nowhere
            problems.append(Problem(shown, "", "The name is too long or not text."))
        elif not isinstance(entry, dict):
            problems.append(Problem(name, "", "Not an object."))
        elif not isinstance(provider := entry.get("litellm_provider", ""), str):
            problems.append(Problem(name, "litellm_provider", "Not a string."))
        elif prices := dict(_prices(name, entry, problems)):
            yield Entry(name, provider, prices)


def _prices(
    name: str, entry: dict[str, object], problems: list[Problem]
) -> Iterator[tuple[str, Decimal]]:
    for field, bucket in BUCKETS.items():
        price = entry.get(field)
        if price is None:
            continue
        if wrong := _wrong(price):
            problems.append(Problem(name, field, wrong))
        else:
            assert isinstance(price, Decimal)
            yield bucket, price


def _wrong(price: object) -> str:
    if not isinstance(price, Decimal):
        return "Not a number."
    if price.is_signed() and price:
        return "A price is not negative."
    exponent = price.as_tuple().exponent
    if price and (price.adjusted() < -DECIMALS or not isinstance(exponent, int)):
        return f"Smaller than {DECIMALS} decimals can say."
    if isinstance(exponent, int) and exponent < -DECIMALS:
        return f"More than {DECIMALS} decimals."
    if price.adjusted() > 6 or price > TOO_DEAR:
        return "More than a million USD."
    return ""
