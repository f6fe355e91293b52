"""All requests behind a figure as one file: each once, in order, and adding up to the figure."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from finops.api.requests_csv import HEADER
from finops.models import Team
from finops.requests import streaming
from tests import figures, usage

START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
WHOLE = "start=2026-10-12&end=2026-10-15"
PATH = "/api/v1/requests.csv"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """120 random requests, one of them settled, and one with names that a spreadsheet would run."""
    monkeypatch.setattr(streaming, "AT_ONCE", 7)
    figures.price_models()
    Team.objects.create(name="cx", cost_center="CC-1")
    events = figures.random_events(31, 120, START, START + timedelta(days=3))
    odd = {"id": "=1+1", "feature": "+cmd", "user": "\tann", "tags": {"k": "ü,\n"}, "team": "cx"}
    usage.record([*events, usage.event(START + timedelta(hours=5), **odd)], now=NOW)
    first = events[0]
    fixed = {**first, "id": "fixed", "model": "gpt-4o", "corrects": first["id"]}
    usage.record([{**fixed, "input_tokens": first["input_tokens"] + 500}], now=NOW)
    usage.settle(NOW + timedelta(days=1))


def read(client: Client, query: str = WHOLE) -> list[dict[str, str]]:
    response = client.get(f"{PATH}?{query}")
    assert response.status_code == 200, response.content
    return list(csv.DictReader(StringIO(response.getvalue().decode(), newline="")))


def listed(client: Client, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/v1/requests?{query}&limit=500").json()[
        "requests"
    ]
    return found


@pytest.mark.parametrize("more", ["", "&team=cx", "&user=ann&feature=!chat", "&cost_center=CC-1"])
def test_the_file_has_the_requests_of_all_pages_and_adds_up_to_the_figure(
    signed_in: Client, more: str
) -> None:
    rows = read(signed_in, WHOLE + more)
    pages = listed(signed_in, WHOLE + more)
    assert [row["event_key"] for row in rows] == [each["event_key"] for each in pages]
    for row, each in zip(rows, pages, strict=True):
        assert (row["cost_center"], row["started_at"]) == (each["cost_center"], each["started_at"])
        assert row["effective_cost"] == (each["effective_cost"] or "")
        assert bool(row["price_id"]) == each["is_priced"]
    asked = f"/api/v1/costs?{WHOLE}{more}&granularity=total&metrics=effective_cost,input_tokens"
    totals = signed_in.get(asked).json()["totals"]
    costs = [Decimal(row["effective_cost"]) for row in rows if row["effective_cost"]]
    assert sum(costs) == Decimal(totals["effective_cost"] or 0)
    assert sum(int(row["input_tokens"]) for row in rows) == totals["input_tokens"]


def test_the_file_is_harmless_and_named_after_its_period(signed_in: Client) -> None:
    response = signed_in.get(f"{PATH}?{WHOLE}&group_by=model")
    assert 'filename="requests-2026-10-12-to-2026-10-14.csv"' in response["Content-Disposition"]
    assert response.getvalue().decode().splitlines()[0] == ",".join(HEADER)
    [row] = [each for each in read(signed_in) if each["id"].endswith("=1+1")]
    assert (row["id"], row["feature"], row["user"]) == ("'=1+1", "'+cmd", "'\tann")
    assert (row["tags"], row["cost_center"], row["currency"]) == ('{"k": "ü,\\n"}', "CC-1", "USD")
    assert [each["kind"] for each in read(signed_in)].count("reversal") == 1


def test_what_the_client_reported_is_named_as_dollars(signed_in: Client) -> None:
    """Beside costs in another currency it would be read as that."""
    at = START + timedelta(hours=7)
    usage.record([usage.event(at, id="told", feature="told", reported_cost=0.0125)], now=NOW)
    [row] = read(signed_in, f"{WHOLE}&feature=told")
    assert row["reported_cost_usd"] == "0.0125"
    assert "reported_cost" not in row


def test_the_page_of_requests_leads_to_all_of_its_own(signed_in: Client) -> None:
    page = signed_in.get(f"/requests?{WHOLE}&team=cx").content.decode()
    assert f'href="{PATH}?end=2026-10-15&amp;start=2026-10-12&amp;team=cx"' in page


def test_what_cannot_be_answered_is_said_before_anything_is_sent(signed_in: Client) -> None:
    for wrong, field in (("limit=5", "limit"), ("cursor=x", "cursor"), ("period=x", "period")):
        refused = signed_in.get(f"{PATH}?{wrong}")
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == field
    assert read(signed_in, "period=2001-02") == []


def test_no_transaction_is_open_while_the_answer_is_made(signed_in: Client) -> None:
    """Middleware saves the session in it, and a snapshot only reads."""
    before = list(connection.savepoint_ids)
    response = signed_in.get(f"{PATH}?{WHOLE}")
    assert connection.savepoint_ids == before
    assert len(response.getvalue().splitlines()) > 100


def test_a_file_that_fails_in_the_middle_does_not_end(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = streaming.read_row
    seen: list[Any] = []

    def fails(row: tuple[Any, ...]) -> Any:
        seen.append(row)
        if len(seen) > 10:
            raise OperationalError("the connection is lost")
        return whole(row)

    monkeypatch.setattr(streaming, "read_row", fails)
    response = signed_in.get(f"{PATH}?{WHOLE}")
    assert response.status_code == 200
    with pytest.raises(OperationalError):
        response.getvalue()
