"""A CloudEvent that does not say when it was counts once, however late it is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from ingest_server import Door, result

PATH = "/api/v1/ingest/cloudevents"


class Calendar:
    """The datetime of the ingest process, so many days ago."""

    days = 0

    @classmethod
    def now(cls, zone: Any) -> datetime:
        return datetime.now(zone) - timedelta(days=cls.days)


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> type[Calendar]:
    monkeypatch.setattr("ingest.doors.cloudevents.datetime", Calendar)
    monkeypatch.setattr(Calendar, "days", 0)
    return Calendar


def post(door: Door, **fields: Any) -> tuple[int, int]:
    told = {"specversion": "1.0", "type": "llm.usage.v1", "source": "/app", "id": uuid4().hex}
    data = {"provider": "openai", "model": "gpt-4o", "input_tokens": 9}
    headers = {"authorization": f"Bearer {door.key}"}
    answer = result(door.http.post(PATH, json={**told, "data": data, **fields}, headers=headers))
    return answer["accepted"], answer["duplicates"]


@pytest.mark.parametrize("days", [1, 2, 20])
def test_it_counts_once_when_it_is_sent_again_on_a_later_day(
    door: Door, calendar: type[Calendar], days: int
) -> None:
    name = uuid4().hex
    calendar.days = days
    assert [post(door, id=name), post(door, id=name)] == [(1, 0), (0, 1)]
    calendar.days = 0
    assert [post(door, id=name), post(door, id=name)] == [(0, 1), (0, 1)]
    assert door.row()["day"] == (datetime.now(UTC) - timedelta(days=days)).date()


def test_what_is_sent_again_day_after_day_counts_once(door: Door, calendar: type[Calendar]) -> None:
    name = uuid4().hex
    for days in range(60, 0, -1):
        calendar.days = days
        post(door, id=name)
    assert len(door.rows()) == 1


def test_others_of_the_same_source_and_of_other_sources_are_others(door: Door) -> None:
    name = uuid4().hex
    assert [post(door), post(door), post(door, id=name)] == [(1, 0)] * 3
    assert post(door, id=name, source="/other") == (1, 0)


def test_one_that_says_its_time_is_another_event_on_another_day(door: Door) -> None:
    name, now = uuid4().hex, datetime.now(UTC)
    for days in (2, 1):
        assert post(door, id=name, time=(now - timedelta(days=days)).isoformat()) == (1, 0)


def test_each_kind_of_token_of_one_answer_counts(door: Door) -> None:
    for kind in ("input", "output"):
        data = {"tokens": 100, "model": "gpt-4o", "type": kind, "response_id": "r" * 20}
        assert post(door, data=data) == (1, 0)
