"""No settlement keeps the others waiting: none that cannot be applied, nor thousands of orphans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from ingest.settlements import applying
from tests import figures, usage
from tests.test_settlements import AT, NOW, aborted, counted, held, settlement

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices() -> None:
    figures.price_models()


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def outputs() -> list[int]:
    return sorted(row["text_output_tokens"] for row in counted())


def test_a_figure_too_small_for_its_column_is_nothing() -> None:
    usage.record([aborted(), settlement(quality=1e-60, ttft_ms=1e-300)], now=NOW)
    assert usage.settle(NOW).applied == 1
    assert [(row["quality"], row["ttft_ms"]) for row in counted()] == [(0, 0)]


@pytest.mark.parametrize(
    "said",
    ['{"quality": 1e-60}', '{"gpu_seconds": "0E+5000000000"}'],
    ids=["a real", "a numeric"],
)
def test_one_that_cannot_be_stored_is_given_up_and_stops_no_other(said: str) -> None:
    usage.record([aborted(), aborted(id="call-2")], now=NOW)
    usage.store([settlement(), settlement(id="poison", corrects="call-2")], now=NOW)
    execute(
        "UPDATE settlement SET said = said || %s::jsonb WHERE said ->> 'event_id' = 'poison'", said
    )
    done = usage.settle(NOW)
    assert (done.applied, done.given_up) == (1, 1)
    assert outputs() == [10, 500]
    assert sorted(held("reason", "next_try_at"), key=str) == [
        ("cannot_be_stored", None),
        (None, None),
    ]


def test_one_that_was_never_tried_goes_before_those_that_wait_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applying, "ROUND", 2)
    orphans = [settlement(id=f"orphan-{n}", corrects=f"nothing-{n}") for n in range(6)]
    usage.record(orphans, now=NOW - timedelta(days=1))
    for _ in range(3):
        assert usage.settle(NOW - timedelta(days=1)).is_full
    usage.record([aborted(), settlement()], now=NOW)
    done = usage.settle(NOW)
    assert (done.applied, done.waiting) == (1, 1)


def test_what_waits_is_tried_ever_more_rarely() -> None:
    usage.record([settlement(corrects="nothing")], now=NOW)
    now, tries = NOW, 0
    while now < NOW + timedelta(days=6):
        tries += usage.settle(now).waiting
        [(now,)] = held("next_try_at")
    assert tries < 160


def test_an_event_that_comes_much_later_and_is_old_is_found() -> None:
    usage.record([settlement()], now=NOW)
    usage.settle(NOW)
    usage.record([aborted(AT - timedelta(days=9))], now=NOW)
    [(tried,)] = held("next_try_at")
    while not (done := usage.settle(tried)).applied:
        assert done.waiting == 1
        [(tried,)] = held("next_try_at")
    assert tried - NOW < timedelta(seconds=30)
    assert outputs() == [500]
