"""What a settlement has changed is told: in the API, on the pages, on the ingest desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from desks import reader
from django.test import Client

from finops import formats
from tests import usage
from tests.test_settlements import NOW, aborted, prices, settlement

__all__ = ["prices"]  # of every test here

pytestmark = pytest.mark.django_db


def test_the_api_shows_the_event_the_reversal_and_what_counts(signed_in: Client) -> None:
    usage.record([aborted(), settlement()], now=NOW)
    usage.settle(NOW)
    shown = [
        signed_in.get(f"/api/v1/requests/{id}?source=tests").json()
        for id in ("call-1", "settled-1")
    ]
    assert [each["kind"] for each in shown] == ["event", "settled"]
    assert shown[0]["settlement"] == shown[1]["settlement"]
    told = shown[0]["settlement"]
    assert [row["kind"] for row in told["rows"]] == ["event", "reversal", "settled"]
    assert told["in_force"] == shown[1]["event_key"]
    assert told["adjustment"]["tokens"]["text_output_tokens"] == 490
    cost = {row["kind"]: Decimal(row["effective_cost"]) for row in told["rows"]}
    assert cost["reversal"] == -cost["event"]
    assert Decimal(told["adjustment"]["effective_cost"]) == cost["settled"] - cost["event"]
    reversal = signed_in.get(f"/api/v1/requests/{told['rows'][1]['event_key']}").json()
    assert reversal["kind"] == "reversal"
    assert reversal["rating_trace"]["agrees_with_stored_costs"]
    assert reversal["settlement"] == told


@pytest.mark.parametrize("sort", ["newest", "cost"])
def test_the_rows_that_are_listed_add_up_to_the_totals(signed_in: Client, sort: str) -> None:
    usage.record([aborted(), aborted(id="call-2"), settlement()], now=NOW)
    usage.settle(NOW)
    span = {"start": "2026-10-13", "end": "2026-10-14"}
    listed = signed_in.get("/api/v1/requests", {**span, "sort": sort}).json()["requests"]
    assert sorted(each["kind"] for each in listed) == ["event", "event", "reversal", "settled"]
    asked = {**span, "granularity": "total", "metrics": "effective_cost,output_tokens"}
    wanted = signed_in.get("/api/v1/costs", asked).json()["totals"]
    assert sum(Decimal(each["effective_cost"]) for each in listed) == Decimal(
        wanted["effective_cost"]
    )
    assert sum(each["output_tokens"] for each in listed) == wanted["output_tokens"]
    page = signed_in.get("/requests", span).text
    assert "reversal</span>" in page
    assert "settled</span>" in page


def test_the_page_of_each_row_leads_to_the_others(signed_in: Client) -> None:
    usage.record([aborted(), settlement()], now=NOW)
    usage.settle(NOW)
    told = signed_in.get("/api/v1/requests/call-1?source=tests").json()["settlement"]
    keys = [row["event_key"] for row in told["rows"]]
    for key in keys:
        page = signed_in.get(f"/requests/{key}").text
        assert "What settling has changed" in page
        assert all(f"/requests/{other}" in page for other in keys if other != key)
        assert "do not give the cost" not in page


def test_the_page_leads_with_what_counts_and_says_what_it_was(signed_in: Client) -> None:
    usage.record([aborted(), settlement()], now=NOW)
    usage.settle(NOW)
    told = signed_in.get("/api/v1/requests/call-1?source=tests").json()
    event, reversal, settled = [row["event_key"] for row in told["settlement"]["rows"]]
    pages = [signed_in.get(f"/requests/{key}").text for key in (event, settled)]
    titles = [re.findall("<h1>(.*)</h1>", page) for page in pages]
    counts, was = told["counts"], Decimal(told["effective_cost"])
    cost = Decimal(counts["effective_cost"])
    assert titles == [[f"Why did this request cost {formats.money_long(cost, 'USD')}?"]] * 2
    line = (
        f"Settled: was {formats.money_long(was, 'USD')}, +{formats.money_long(cost - was, 'USD')}"
    )
    assert all(line in page and ", +490." in page for page in pages)
    assert re.search(r"<dt>Output tokens</dt>\s*<dd[^>]*>500</dd>", pages[0])
    assert "What did a settlement take back?" in signed_in.get(f"/requests/{reversal}").text


def test_the_api_names_the_figures_that_count_beside_those_of_the_record(signed_in: Client) -> None:
    usage.record([aborted(), aborted(id="call-2"), settlement()], now=NOW)
    usage.settle(NOW)
    replaced, settled, plain = [
        signed_in.get(f"/api/v1/requests/{id}?source=tests").json()
        for id in ("call-1", "settled-1", "call-2")
    ]
    assert (replaced["output_tokens"], replaced["counts"]["output_tokens"]) == (10, 500)
    assert replaced["counts"] == settled["counts"]
    for each in (settled, plain):
        assert each["counts"] == {name: each[name] for name in each["counts"]}


def test_who_may_not_see_the_settled_team_is_not_told_of_it() -> None:
    usage.record([aborted(team="ads"), settlement(team="cx")], now=NOW)
    usage.settle(NOW)
    engineer = reader("engineer", "ads")
    found = engineer.get("/api/v1/requests/call-1?source=tests").json()
    assert found["kind"] == "event"
    assert found["settlement"] is None
    assert found["counts"] is None
    assert engineer.get("/api/v1/requests/settled-1?source=tests").status_code == 404


def test_the_ingest_desk_counts_settlements(signed_in: Client) -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, id="call-1"), settlement()], now=now)
    usage.record([settlement(id="settled-2", corrects="call-9")], now=now)
    usage.settle(now)
    page = signed_in.get("/ingest").text
    assert "Settlements" in page
    assert "1 wait for their event" in page
