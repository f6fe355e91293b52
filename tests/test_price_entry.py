"""New lines of the ledger: entered, compared, previewed, saved, ended; and rating again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from desks import reader
from django.conf import settings
from django.db import connection
from django.test import Client
from page_texts import rows_of, text_of

from finops import ledger, rating_jobs
from finops.models import AuditRecord, Price, RatingPreview, RatingRun
from tests import operating, usage

pytestmark = pytest.mark.django_db

CONTRACT = {
    "kind": "contract",
    "provider": "acme",
    "model": "m",
    "uncached_input_price_per_million": "2.5",
    "text_output_price_per_million": "10",
    "preview_days": "7",
}


@pytest.fixture
def finance(db: None) -> Client:
    return reader("finance")


def add(**terms: str) -> Price:
    kept = {name: text for name, text in CONTRACT.items() if name != "preview_days"}
    return ledger.add({**kept, **terms}, author="ada", zone=UTC)


def used(*models: str) -> None:
    now = datetime.now(UTC)
    at = now - timedelta(hours=1)
    usage.record([usage.event(at, provider="acme", model=each) for each in models], now=now)


def costs() -> list[Decimal | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT effective_cost FROM usage_event ORDER BY event_id")
        return [cost for (cost,) in cursor.fetchall()]


def work() -> None:
    with connection.cursor() as cursor:
        # What a transaction of its own would have dropped.
        cursor.execute("DROP TABLE IF EXISTS rerated_event, rerated_change, rate_window")
    rating_jobs.work(settings.REPORTING_ZONE)
    operating.work()


def test_a_line_is_previewed_before_it_is_saved(finance: Client) -> None:
    used("m", "other")
    sent = finance.post("/prices/new", CONTRACT)
    preview = RatingPreview.objects.get()
    assert sent["Location"] == f"/prices/previews/{preview.pk}"
    assert not Price.objects.filter(provider="acme").exists()
    waiting = finance.get(sent["Location"]).text
    assert "Being worked out" in waiting
    assert "Save without waiting" in waiting
    assert "Save this line" not in waiting

    work()
    page = finance.get(sent["Location"]).text
    assert rows_of(page)[0][:3] == ["acme / m", "1", "1"]
    assert rows_of(page)[0][-1] == "1 → 0"
    assert "Save this line" in page
    assert not Price.objects.filter(provider="acme").exists()
    assert costs() == [None, None]

    saved = finance.post(f"/prices/previews/{preview.pk}/save", follow=True)
    line = Price.objects.get(provider="acme")
    assert (line.author, line.uncached_input_price) == ("finance-", Decimal("0.0000025"))
    assert f"Line #{line.pk} is in the ledger" in text_of(saved.content.decode())
    record = AuditRecord.objects.get(action="price.add")
    assert record.after["uncached_input_price"] == "0.0000025"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text_output_price_per_million": "many"}, "Not a number."),
        ({"text_output_price_per_million": "-1"}, "A price is not negative."),
        ({"effective_from": "soon"}, "Write a date or an RFC 3339 instant."),
        ({"effective_from": "2026-02-01", "effective_to": "2026-01-01"}, "Ends before it starts"),
        ({"discount_percent": "101"}, "Write more than 0 and at most 100 percent."),
        ({"provider": "", "model": ""}, "Say which provider or model it is for"),
        ({"kind": "cache_hit"}, "Write one of memory, redis, semantic, database."),
        ({"daily_from": "16:30"}, "A daily window needs both"),
        ({"context_over": "-5"}, "Write 0 or more tokens."),
        ({"kind": "catalog"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    finance: Client, wrong: dict[str, str], said: str
) -> None:
    page = finance.post("/prices/new", {**CONTRACT, **wrong})
    assert page.status_code == 400
    assert said in text_of(page.text)
    assert 'aria-invalid="true"' in page.text
    assert not RatingPreview.objects.exists()


def test_everything_wrong_is_said_at_once(finance: Client) -> None:
    wrong = {
        **{"uncached_input_price_per_million": "many", "text_output_price_per_million": "-1"},
        **{"effective_from": "soon", "discount_percent": "101", "service_tier": "gold"},
        **{"provider": "", "model": "", "daily_from": "noon", "preview_days": "7"},
    }
    page = finance.post("/prices/new", {"kind": "contract", **wrong})
    assert page.text.count('aria-invalid="true"') == 7
    said = text_of(page.text)
    for text in (
        "Not a number.",
        "A price is not negative.",
        "Write a date",
        "at most 100 percent",
    ):
        assert text in said
    assert "Say which provider or model" in said
    assert "at least one unit price" not in said
    line = add()
    ended = text_of(finance.post(f"/prices/lines/{line.pk}/end", {"effective_to": "soon"}).text)
    assert "Write a date" in ended
    assert "This field is required" in ended
    rated = text_of(finance.post("/prices/ratings", {"start": "never", "end": "later"}).text)
    assert "'never'" in rated
    assert "'later'" in rated


def test_lines_for_the_same_requests_are_named_before_saving(finance: Client) -> None:
    other = add(model="*")
    sent = finance.post("/prices/new", CONTRACT, follow=True)
    said = text_of(sent.content.decode())
    assert f"#{other.pk} acme/*" in said
    assert "the new line wins" in said


def test_a_line_is_changed_by_one_that_takes_its_place(finance: Client) -> None:
    old = add(gpu_hour_price="4", request_price="0.01")
    form = finance.get(f"/prices/new?replaces={old.pk}").text
    assert 'value="2.5"' in form
    assert 'value="4"' in form
    changed = {**CONTRACT, "replaces": str(old.pk), "text_output_price_per_million": "8"}
    finance.post("/prices/new", changed)
    finance.post(f"/prices/previews/{RatingPreview.objects.get().pk}/save")
    old.refresh_from_db()
    assert old.superseded_by == "finance-"
    assert Price.objects.get(provider="acme", superseded_at=None).text_output_price == Decimal(
        "0.000008"
    )
    again = finance.post(f"/prices/previews/{RatingPreview.objects.get().pk}/save", follow=True)
    assert "Not saved" in text_of(again.content.decode())


def test_a_line_ends_without_its_history(finance: Client) -> None:
    old = add(request_price="0.000000000000000000000123")
    assert finance.post(f"/prices/lines/{old.pk}/end", {"effective_to": ""}).status_code == 400
    wrong = finance.post(f"/prices/lines/{old.pk}/end", {"effective_to": "soon", "note": "x"})
    assert "Write a date" in text_of(wrong.text)
    asked = {"effective_to": "2100-01-01", "note": "Contract ends."}
    assert finance.post(f"/prices/lines/{old.pk}/end", asked).status_code == 302
    finance.post(f"/prices/previews/{RatingPreview.objects.get().pk}/save")
    new = Price.objects.get(provider="acme", superseded_at=None)
    assert new.effective_to is not None
    assert new.effective_to.astimezone(settings.REPORTING_ZONE).year == 2100
    assert ledger.line_of(new).prices == ledger.line_of(old).prices
    assert AuditRecord.objects.get().action == "price.replace"


def test_rating_again_is_previewed_done_and_logged(finance: Client) -> None:
    old = add()
    used("m")
    ledger.supersede(old.pk, datetime.now(UTC))
    add(text_output_price_per_million="20")
    assert finance.post("/prices/ratings", {"start": "never"}).status_code == 400
    sent = finance.post("/prices/ratings", {"start": "2020-01-01"})
    work()
    assert "0.0065" in finance.get(sent["Location"]).text
    assert costs() == [Decimal("0.0045")]

    apply = f"{sent['Location']}/apply"
    assert finance.post(apply, {"reason": ""}).status_code == 400
    assert finance.post(apply, {"reason": "New contract"}).status_code == 302
    assert "waiting" in finance.get("/prices/ratings").text
    work()
    assert costs() == [Decimal("0.0065")]
    run = RatingRun.objects.get()
    assert (run.reason, run.events_changed, run.error) == ("New contract", 1, "")
    assert "New contract" in finance.get("/prices/ratings").text
    assert AuditRecord.objects.get(action="price.rerate").reason == "New contract"


def test_a_preview_of_a_line_that_cannot_be_says_why(finance: Client) -> None:
    old = add()
    finance.post("/prices/new", {**CONTRACT, "replaces": str(old.pk)})
    used("m")
    ledger.supersede(old.pk, datetime.now(UTC))
    work()
    preview = RatingPreview.objects.get()
    assert "no line in force" in preview.error
    assert "no line in force" in finance.get(f"/prices/previews/{preview.pk}").text


@pytest.mark.parametrize("role", ["engineer", "viewer"])
def test_only_who_manages_prices_may_change_them(role: str, finance: Client) -> None:
    line = add()
    finance.post("/prices/new", CONTRACT)
    pk = RatingPreview.objects.get().pk
    other = reader(role, "search")
    for path in ("/prices/new", f"/prices/lines/{line.pk}/end", "/prices/ratings"):
        assert other.get(path).status_code == 403
        assert other.post(path, CONTRACT).status_code == 403
    assert other.get(f"/prices/previews/{pk}").status_code == 403
    for act in ("save", "apply"):
        assert other.post(f"/prices/previews/{pk}/{act}").status_code == 403
        assert finance.get(f"/prices/previews/{pk}/{act}").status_code == 405
    if role == "engineer":
        page = other.get(f"/prices/lines/{line.pk}").text
        assert "End it" not in page
        assert "Rating again" not in page


@pytest.mark.parametrize(
    "terms",
    [
        {"effective_from": "0001-01-01T00:00:00+14:00"},
        {"effective_to": "9999-12-31T23:59:59-12:00"},
        {"effective_to": "9999-12-31"},
    ],
)
def test_a_date_that_no_reader_could_take_is_refused(
    finance: Client, terms: dict[str, str]
) -> None:
    response = finance.post("/prices/new", CONTRACT | terms)
    assert response.status_code == 400
    assert "Write a year from 1970 to 2999" in response.text


def test_a_button_pressed_twice_saves_one_line(finance: Client) -> None:
    page = finance.post("/prices/new", CONTRACT)["Location"]
    assert finance.post(f"{page}/save")["Location"].startswith("/prices/lines/")
    again = finance.post(f"{page}/save", follow=True)
    (saved,) = Price.objects.filter(provider="acme")
    assert f"Not saved: Line #{saved.pk} of the ledger says the same already." in text_of(
        again.text
    )
