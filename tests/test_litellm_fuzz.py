"""Anything that could come from LiteLLM is read or refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from litellm_payloads import FIRST

from ingest.doors.litellm import read
from ingest.facts import LatencyTiers, Reader, Scope, Window
from ingest.problems import Problem
from ingest.rejections import Rejected

SCOPE = Scope(1, "s", "s", "", "")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_body_is_read_or_refused(data: st.DataObject) -> None:
    """Never by another error than a Problem, of which the application would make a 500."""
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(FIRST)), ANYTHING, max_size=4))
    metadata = data.draw(st.dictionaries(st.sampled_from(sorted(FIRST["metadata"])), ANYTHING))
    mixed = {**FIRST, "metadata": {**FIRST["metadata"], **metadata}, **changed}
    body = json.dumps(data.draw(st.sampled_from([mixed, [mixed, FIRST], changed]))).encode()
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    now = datetime.now(UTC)
    reader = Reader(SCOPE, Window.at(now, timedelta(days=400)), LatencyTiers())
    with suppress(Problem):
        for event in read(body).events:
            with suppress(Rejected):
                reader.read(event)


def test_an_odd_call_type_can_be_stored() -> None:
    [event] = read(json.dumps({**FIRST, "call_type": "ocr\0" + "x" * 300}).encode()).events
    assert event.operation is not None
    assert "\0" not in event.operation
