"""The Prices desk's ledger: found and filtered, one model's history, one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from desks import reader
from django.test import Client
from page_texts import rows_of, text_of

from finops import ledger
from finops.models import Price
from tests import usage

pytestmark = pytest.mark.django_db

PRICES = {"uncached_input_price_per_million": "2.5", "text_output_price_per_million": "10"}


def add(**terms: object) -> Price:
    return ledger.add(
        {"kind": "contract", "provider": "acme", "model": "m", **PRICES} | terms,
        author="ada",
        zone=UTC,
    )


def test_lines_in_force_are_found_by_name_kind_and_tier(signed_in: Client) -> None:
    add(model="alpha")
    add(model="beta", service_tier="batch")
    add(model="ended", effective_to="2020-01-01")
    add(model="later", effective_from="2100-01-01")
    for query, names in (
        ("provider=acme", ["acme / alpha", "acme / beta"]),
        ("provider=acme&tier=batch", ["acme / beta"]),
        ("q=acme+alp", ["acme / alpha"]),
        ("kind=contract&q=acme", ["acme / alpha", "acme / beta"]),
        ("q=acme&show=all", [f"acme / {each}" for each in ("alpha", "beta", "ended", "later")]),
    ):
        rows = rows_of(signed_in.get(f"/prices?{query}").text)
        assert sorted(row[0].partition(" Contract")[0] for row in rows) == names, query
    row = rows_of(signed_in.get("/prices?q=alpha").text)[0]
    assert row[1:3] == ["$2.50", "$10.00"]


def test_a_long_ledger_is_paged(signed_in: Client) -> None:
    for number in range(60):
        add(model=f"m-{number:02}")
    first = signed_in.get("/prices?provider=acme").text
    assert len(rows_of(first)) == 50
    assert "page=2" in first
    assert len(rows_of(signed_in.get("/prices?provider=acme&page=2").text)) == 10


def test_a_search_without_a_hit_says_so(signed_in: Client) -> None:
    assert "No line is like this" in signed_in.get("/prices?q=nothing-at-all").text


def test_a_model_shows_its_history_and_what_was_rated_with_it(signed_in: Client) -> None:
    now = datetime.now(UTC)
    old = add()
    usage.record([usage.event(now - timedelta(hours=1), provider="acme", model="m")], now=now)
    ledger.supersede(old.pk, now, "grace")
    add(uncached_input_price_per_million="2")
    page = signed_in.get("/prices/model?provider=acme&model=m").text
    new_row, old_row = rows_of(page)
    assert new_row[1] == "$2.00"
    assert old_row[6].endswith("by grace")
    assert old_row[7:] == ["1", "$0.0045"]
    assert "chart-figure" in page
    line = text_of(signed_in.get(f"/prices/lines/{old.pk}").text)
    assert "Superseded" in line
    assert "1 request," in line


def test_engineers_see_what_was_rated_for_their_own_teams_only() -> None:
    now = datetime.now(UTC)
    line = add()
    events = [
        usage.event(now - timedelta(hours=1), provider="acme", model="m", team=team)
        for team in ("search", "search", "hush")
    ]
    usage.record(events, now=now)
    for teams, requests in ((["search"], "2 requests"), (["other"], "0 requests")):
        page = reader("engineer", *teams).get(f"/prices/lines/{line.pk}")
        assert requests in text_of(page.text)
        assert "hush" not in page.text
    assert "3 requests" in text_of(reader("finance").get(f"/prices/lines/{line.pk}").text)


@pytest.mark.parametrize("path", ["/prices", "/prices/model?model=m", "/prices/calculator"])
def test_viewers_and_strangers_do_not_see_the_desk(client: Client, path: str) -> None:
    assert reader("viewer", "search").get(path).status_code == 403
    assert client.get(path).status_code == 302
    assert reader("engineer", "search").get(path).status_code == 200


def test_what_is_not_there_is_not_found(signed_in: Client) -> None:
    assert signed_in.get("/prices/lines/999999").status_code == 404
    assert signed_in.get("/prices/model").status_code == 404
