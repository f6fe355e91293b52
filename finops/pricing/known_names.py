"""Whether a provider may have a model of a name, told in a microsecond.

genai-prices asks one model after the other, a millisecond for a name that nobody has; a price file
has thousands of those. A model matches only if one of the texts in its rule does, so they are all
looked for at once, and only what may match is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import Provider

# Compact dates are looked up a second time, written with dashes.
COMPACT_DATE = re.compile(r"\d{8}")
KINDS = ("equals", "starts_with", "ends_with", "contains", "regex")


class Known(NamedTuple):
    """Every text of the rules of a provider's models, and of those it falls back on."""

    equals: frozenset[str]
    starts_with: tuple[str, ...]
    ends_with: tuple[str, ...]
    contains: tuple[str, ...]
    regex: tuple[re.Pattern[str], ...]


def may_have(provider_id: str, reference: str) -> bool:
    """False only where no model of the provider matches the reference."""
    known, name = _known(provider_id), reference.lower()
    return (
        name in known.equals
        or name.startswith(known.starts_with)
        or name.endswith(known.ends_with)
        or any(text in name for text in known.contains)
        or any(pattern.search(name) for pattern in known.regex)
        or COMPACT_DATE.search(name) is not None
    )


@cache
def _known(provider_id: str) -> Known:
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for provider in _with_fallbacks(provider_id):
        for model in provider.models:
            for kind, text in _texts(model.match):
                found[kind].add(text if kind == "regex" else text.lower())
    equals, *others, regexes = (found[kind] for kind in KINDS)
    starts, ends, contains = (tuple(texts) for texts in others)
    patterns = tuple(re.compile(text) for text in regexes)
    return Known(frozenset(equals), starts, ends, contains, patterns)


def _with_fallbacks(provider_id: str) -> Iterator[Provider]:
    everyone = get_snapshot().providers
    provider = find_provider_by_id(everyone, provider_id)
    if provider is not None:
        yield provider
        names = provider.fallback_model_providers or ()
        yield from (each for each in everyone if each.id in names)


def _texts(rule: object) -> Iterator[tuple[str, str]]:
    """Every kind and text of a rule, however it joins them."""
    parts = getattr(rule, "or_", None) or getattr(rule, "and_", None)
    if parts is not None:
        for part in parts:
            yield from _texts(part)
        return
    ((kind, text),) = vars(rule).items()
    yield kind, text
