"""What no decoder takes is mended, in little more memory than the body's own."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest

from ingest.doors.litellm.body import _legible
from ingest.doors.surrogates import without_unpaired_surrogates

MIB = 2**20


@pytest.mark.parametrize(
    ("given", "mended"),
    [
        (rb"\ud83d", rb"\u0000"),
        (rb"\uDE00", rb"\u0000"),
        (rb"\ud83d\ude00", rb"\ud83d\ude00"),
        (rb"\ud83d\ud83d\ude00\ude00", rb"\u0000\ud83d\ude00\u0000"),
        (rb"\\ud83d", rb"\\ud83d"),
        (rb"\\\ud83d", rb"\\\u0000"),
        (rb"\ud83d\\ude00", rb"\u0000\\ude00"),
        (rb"\\ud83d\ude00", rb"\\ud83d\u0000"),
        (rb"\u0041\ud8", rb"\u0041\ud8"),
    ],
)
def test_only_half_pairs_are_replaced(given: bytes, mended: bytes) -> None:
    assert without_unpaired_surrogates(given) == mended


def test_only_what_stands_outside_of_strings_is_taken_for_a_number() -> None:
    body = rb'{"a NaN": "say \"NaN\" \\", "b": [NaN, -Infinity, Infinity], "c": "Infinity"}'
    mended = json.loads(_legible(body))
    assert mended == {"a NaN": 'say "NaN" \\', "b": [None] * 3, "c": "Infinity"}


@pytest.mark.parametrize("mend", [without_unpaired_surrogates, _legible])
@pytest.mark.parametrize(
    "repeated", [rb"\n", rb"\ud83d", rb"a\\"], ids=["escapes", "halves", "backslashes"]
)
def test_a_hostile_body_is_mended_in_little_memory(
    mend: Callable[[bytes], bytes], repeated: bytes
) -> None:
    body = b'["\\ud83d' + repeated * (MIB // 32) + b'", NaN]'
    tracemalloc.start()
    try:
        mend(body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6 * len(body) + MIB // 2
