"""Tokens of one call as its attributes count them, brought to totals that include their parts.

OpenTelemetry's totals include cached and reasoning tokens. Some instrumentations pass on a
provider's own way of counting instead; the numbers then tell: a part exceeds its whole, or the
grand total only adds up with the part beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingest.rejections import Rejected
from ingest.usage import INPUT_BUCKETS, read_usage


class Counts(NamedTuple):
    """Tokens of one call; None where nothing was said. The totals include the parts below them."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    input_audio: int | None = None
    reasoning: int | None = None
    output_audio: int | None = None
    normalised: bool = False  # a part stood beside its whole and was added

    @property
    def totals(self) -> tuple[int, int] | None:
        """What tells whether two spans speak of the same usage; None when there is none."""
        if self.input is None and self.output is None:
            return None
        return self.input or 0, self.output or 0

    @property
    def detail(self) -> int:
        """How much is said: of two records of one call the one that says more is believed."""
        return sum(part is not None for part in self[:8])


def counts_of(fields: Mapping[str, Any]) -> Counts:
    """Counts from the attributes of one span."""
    given = {field: number(fields[field]) for field in _COUNTED if field in fields}
    read, write = given.get("cache_read"), _written(given)
    whole, output = given.get("input"), given.get("output")
    reasoning, total = given.get("reasoning"), given.get("total")
    cached, thought = (read or 0) + (write or 0), reasoning or 0
    stands_beside = cached > (whole or 0) or (
        cached > 0 and _adds_up(total, whole, output, cached, (0, thought))
    )
    if stands_beside:
        whole = (whole or 0) + cached
    thought_beside = thought > (output or 0) or (
        thought > 0 and _adds_up(total, whole, output, thought, (0,))
    )
    if thought_beside:
        output = (output or 0) + thought
    audio = given.get("input_audio")
    if audio is not None:  # cached audio is billed as cached
        audio = max(min(audio - (given.get("cached_audio") or 0), (whole or 0) - cached), 0)
    spoken = given.get("output_audio")
    if spoken is not None:
        spoken = max(min(spoken, (output or 0) - thought), 0)
    return Counts(
        _sum(whole, given.get("compaction_input")),
        _sum(output, given.get("compaction_output")),
        read,
        write,
        given.get("cache_write_1h"),
        audio,
        reasoning,
        spoken,
        stands_beside or thought_beside,
    )


_COUNTED = (
    *("input", "output", "total", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h"),
    *("reasoning", "input_audio", "cached_audio", "output_audio"),
    *("compaction_input", "compaction_output"),
)


def number(value: object) -> int | None:
    """A count, also where it is written as 12.0 or "12"; None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None


def _written(given: Mapping[str, int | None]) -> int | None:
    written = given.get("cache_write")
    by_lifetime = _sum(given.get("cache_write_5m"), given.get("cache_write_1h"))
    return by_lifetime if written is None else max(written, given.get("cache_write_1h") or 0)


def _adds_up(
    total: int | None, whole: int | None, output: int | None, part: int, more: tuple[int, ...]
) -> bool:
    """Whether the grand total holds with the part beside the whole, and does not without it."""
    if total is None:
        return False
    without = (whole or 0) + (output or 0)
    return total != without and any(total == without + part + extra for extra in more)


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else (one or 0) + other


def filled(counts: Counts, block: object, provider: str) -> Counts:
    """With what a provider's own usage block says besides, if it tells of the same tokens."""
    if not isinstance(block, dict):
        return counts
    try:
        tokens = read_usage(block, provider).tokens
    except Rejected:
        return counts
    others = Counts(
        sum(tokens[:INPUT_BUCKETS]),
        sum(tokens[INPUT_BUCKETS:]),
        tokens.cache_read_input,
        tokens.cache_creation_5m_input + tokens.cache_creation_1h_input,
        tokens.cache_creation_1h_input,
        tokens.input_audio,
        tokens.reasoning_output,
        tokens.output_audio,
    )
    return merged(counts, others)


def merged(counts: Counts, others: Counts) -> Counts:
    """The counts, and what only the others know, where both tell of the same tokens."""
    if counts.totals is None:
        return others
    same = (
        (counts.input, others.input, _PARTS_OF_INPUT),
        (counts.output, others.output, _PARTS_OF_OUTPUT),
    )
    learned = {
        part: value
        for ours, theirs, parts in same
        if theirs is not None and (ours is None or ours == theirs)
        for part in parts
        if getattr(counts, part) is None and (value := getattr(others, part)) is not None
    }
    return counts._replace(**learned) if learned else counts


_PARTS_OF_INPUT = ("input", "cache_read", "cache_write", "cache_write_1h", "input_audio")
_PARTS_OF_OUTPUT = ("output", "reasoning", "output_audio")
