"""The queue of models without a price: what each reader sees of it, and what it leads to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from desks import reader
from django.conf import settings
from django.db import connection
from page_texts import rows_of, text_of

from finops import ledger, rating_jobs, rerating
from tests import usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def unpriced() -> None:
    now = datetime.now(UTC)
    at = now - timedelta(hours=2)
    events = [
        usage.event(at, provider="acme", model="gpt-4o-mine", team="search"),
        usage.event(at, provider="acme", model="gpt-4o-mine", team="hush"),
        usage.event(at, provider="acme", model="secret", team="hush"),
    ]
    usage.record(events, now=now)


@pytest.mark.usefixtures("unpriced")
def test_finance_sees_every_model_with_its_requests_tokens_and_teams() -> None:
    ledger.sync_catalog(datetime.now(UTC))
    page = reader("finance").get("/prices/unpriced").text
    rows = rows_of(page)
    said = "no line is for it; it used Input, uncached; Output, text"
    assert [row[:3] for row in rows] == [
        [f"acme / gpt-4o-mine {said}", "2", "2,400"],
        [f"acme / secret {said}", "1", "1,200"],
    ]
    assert rows[0][4] == "hush, search"
    assert "gpt-4o-mini" in rows[0][5]
    assert "/prices/new?kind=contract&amp;provider=acme&amp;model=gpt-4o-mine" in page
    assert "like=" in page


@pytest.mark.usefixtures("unpriced")
def test_engineers_see_the_requests_of_their_teams_only() -> None:
    page = reader("engineer", "search").get("/prices/unpriced").text
    ((name, *counts),) = [row[:3] for row in rows_of(page)]
    assert name.startswith("acme / gpt-4o-mine ")
    assert counts == ["1", "1,200"]
    assert "hush" not in page
    assert "Add price" not in page
    other = reader("engineer", "other").get("/prices/unpriced")
    assert "Every request you may see has a price" in other.text
    assert reader("viewer", "search").get("/prices/unpriced").status_code == 403


def test_the_queue_the_preview_and_the_request_say_which_bucket_has_no_price() -> None:
    now = datetime.now(UTC)
    at = now - timedelta(hours=2)
    asked = {"provider": "acme", "model": "thinker"}
    whose = {**asked, "team": "search"}
    thought = usage.event(at, **whose, reasoning_output_tokens=50)
    events = [usage.event(at, **whose), thought, usage.event(at, **whose, input_audio_tokens=9)]
    usage.record(events, now=now)
    finance = reader("finance")
    prices = {"uncached_input_price_per_million": "2", "text_output_price_per_million": "4"}
    terms = {"kind": "contract", **asked, **prices}
    sent = finance.post("/prices/new", {**terms, "preview_days": "7"})
    rating_jobs.work(settings.REPORTING_ZONE)
    preview = text_of(finance.get(sent["Location"]).text)
    assert "3 → 2" in preview
    assert "thinker: no price for Input, audio (1 request); Output, reasoning (1 request)" in (
        preview
    )
    line = ledger.add(terms, author="ada", zone=UTC)
    rerating.rerate_unpriced(settings.REPORTING_ZONE)
    ((name, count, *_),) = rows_of(finance.get("/prices/unpriced").text)
    assert "incomplete no price for Input, audio (1 request); Output, reasoning (1" in name
    assert count == "2"
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_key FROM usage_event WHERE event_id = %s", [thought["id"]])
        address = f"/requests/{cursor.fetchone()[0]}"
    page = finance.get(address).text
    assert "says nothing of Output, reasoning, which was used" in text_of(page)
    assert f'href="/prices/lines/{line.pk}"' in page
    theirs = reader("viewer", "search").get(address).text
    assert "says nothing of Output, reasoning" in theirs
    assert "/prices/lines/" not in theirs
    add = "/prices/new?kind=contract&amp;provider=acme&amp;model=thinker"
    assert add in page
    assert add not in theirs
    assert "add_price" not in page + theirs


@pytest.mark.usefixtures("unpriced")
def test_a_new_price_empties_the_queue_by_itself() -> None:
    finance = reader("finance")
    form = finance.get("/prices/new?kind=contract&provider=acme&model=gpt-4o-mine").text
    assert 'value="gpt-4o-mine"' in form
    prices = {"uncached_input_price": "0.000001", "text_output_price": "0.000002"}
    terms = {"kind": "contract", "provider": "acme", **prices}
    ledger.add(terms, author="ada", zone=UTC)
    waiting = finance.get("/prices/unpriced").text
    assert "rated within a minute" in waiting
    assert 'hx-trigger="every 3s"' in waiting
    rerating.rerate_unpriced(settings.REPORTING_ZONE)
    done = text_of(finance.get("/prices/unpriced").text)
    assert "Every request you may see has a price" in done
    assert "3 requests got a price" in done


@pytest.mark.usefixtures("unpriced")
def test_the_queue_tells_of_the_run_that_priced_something_not_of_an_empty_one() -> None:
    finance = reader("finance")
    prices = {"uncached_input_price": "0.000001", "text_output_price": "0.000002"}
    ledger.add({"kind": "contract", "provider": "acme", **prices}, author="ada", zone=UTC)
    for _ in range(2):
        rerating.rerate_unpriced(settings.REPORTING_ZONE)
    said = text_of(finance.get("/prices/unpriced").text)
    assert "3 requests got a price; looked again" in said
    assert "0 requests" not in said


def test_a_preview_tells_what_saving_rates_that_is_older_and_knows_no_cost_of_what_has_none() -> (
    None
):
    now = datetime.now(UTC)
    named = {"provider": "acme", "model": "old"}
    recent, older = now - timedelta(hours=2), now - timedelta(days=9)
    audio = usage.event(recent, **named, input_audio_tokens=9)
    usage.record([audio, usage.event(older, **named), usage.event(older, **named)], now=now)
    finance = reader("finance")
    prices = {"uncached_input_price_per_million": "2", "text_output_price_per_million": "4"}
    terms = {"kind": "contract", **named, **prices, "preview_days": "7"}
    sent = finance.post("/prices/new", terms)
    rating_jobs.work(settings.REPORTING_ZONE)
    page = finance.get(sent["Location"]).text
    assert rows_of(page)[0] == ["acme / old", "1", "1", "–", "–", "–", "1 → 1"]
    assert "Saving it also rates 2 older requests without a price, $" in text_of(page)
    finance.post(sent["Location"] + "/save")
    rerating.rerate_unpriced(settings.REPORTING_ZONE)
    assert "2 requests got a price" in text_of(finance.get("/prices/unpriced").text)
