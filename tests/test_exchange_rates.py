"""Exchange rates through the page and the API; and the currency that figures are in."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from finops import cost_items, ingest_process, reporting_currency, rollups
from finops.conninfo import conninfo
from finops.exchange import (
    Exchange,
    Fixing,
    WrongFile,
    days_in_words,
    mean_conversion,
    parse,
    unknown_days,
)
from finops.models import AuditRecord, ExchangeFixing
from finops.organisation.stored import Act
from finops.reporting_currency import CurrencyChanged

pytestmark = pytest.mark.django_db
DAILY = b"Date, USD, JPY, \n20 November 2026, 1.1523, 178.65, \n"
HISTORY = b"Date,USD,JPY,CYP,\n2026-11-20,1.1523,178.65,N/A,\n2026-11-19,1.1531,178.1,0.58,\n"
ADDRESS, PAGE = "/api/v1/exchange-rates", "/settings/exchange-rates"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 21, 9, tzinfo=UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def posted(client: Client, content: bytes, query: str = "") -> Any:
    return client.post(f"{ADDRESS}{query}", content, content_type="text/csv")


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return made.getvalue()


@pytest.mark.parametrize("content", [DAILY, b"\xef\xbb\xbf" + DAILY, zipped(eurofxref=DAILY)])
def test_the_file_of_a_day_is_read(content: bytes) -> None:
    assert parse(content) == {
        date(2026, 11, 20): {"USD": Decimal("1.1523"), "JPY": Decimal("178.65")}
    }


def test_the_history_is_read_without_what_is_not_known() -> None:
    found = parse(HISTORY)
    assert found[date(2026, 11, 20)].keys() == {"USD", "JPY"}
    assert found[date(2026, 11, 19)]["CYP"] == Decimal("0.58")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"Day,USD\n2026-11-20,1\n", "Line 1, column 1"),
        (b"Date,USD,dollar\n2026-11-20,1,2\n", "Line 1, column 3: 'dollar'"),
        (b"Date,USD,EUR\n2026-11-20,1,2\n", "Line 1, column 3: 'EUR'"),
        (b"Date,USD,USD\n2026-11-20,1,2\n", "Line 1, column 3: USD is there twice"),
        (b"Date\n2026-11-20\n", "no currency follows"),
        (b"Date,USD\n", "no rates"),
        (b"Date,USD\n20/11/2026,1.1\n", "Line 2, column 1: '20/11/2026' is no day"),
        (b'Date,USD\n2026-11-20,"1,15"\n', "Line 2, column 2 (USD): '1,15' is no rate"),
        (b"Date,USD\n2026-11-20,0\n", "Line 2, column 2 (USD)"),
        (b"Date,USD\n2026-11-20,-1\n", "Line 2, column 2 (USD)"),
        (b"Date,USD\n2026-11-20,1e3\n", "Line 2, column 2 (USD)"),
        (b"Date,USD\n2026-11-20,1.1,2\n", "Line 2: it has 2 rates for 1 currencies"),
        (b"Date,USD\n2026-11-20,N/A\n", "Line 2: 2026-11-20 has no rate at all"),
        (b"Date,USD\n2026-11-20,1\n2026-11-20,2\n", "Line 3: 2026-11-20 is there twice"),
        (b"Date,USD\n2026-11-20,\xff\n", "is no UTF-8"),
        (b"PK\x03\x04nonsense", "cannot be read"),
        (zipped(one=DAILY, two=DAILY), "holds 2 CSV files"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(content: bytes, said: str) -> None:
    with pytest.raises(WrongFile) as refused:
        parse(content)
    assert said in " ".join(refused.value.problems)


def test_the_same_again_changes_nothing(signed_in: Client) -> None:
    assert posted(signed_in, HISTORY).json()["days_added"] == 2
    again = posted(signed_in, DAILY)
    assert (again.status_code, again.json()["days_unchanged"]) == (200, 1)
    assert ExchangeFixing.objects.count() == 2
    assert AuditRecord.objects.filter(action="exchange_rates.import").count() == 1


def test_another_rate_of_a_day_is_refused_or_a_correction_on_record(signed_in: Client) -> None:
    posted(signed_in, DAILY)
    other = b"Date,USD\n2026-11-20,1.2\n2026-11-19,1.1\n"
    refused = posted(signed_in, other)
    assert refused.status_code == 400
    [error] = refused.json()["errors"]
    assert error["field"] == "file"
    assert "2026-11-20, USD: 1.1523 is known already, and the file says 1.2" in error["message"]
    assert ExchangeFixing.objects.count() == 1, "all or nothing"
    assert posted(signed_in, other, "?corrects=1").json()["days_corrected"] == 1
    former, now = ExchangeFixing.objects.filter(day=date(2026, 11, 20)).order_by("pk")
    assert former.superseded_at is not None
    assert (former.rates["USD"], now.rates) == ("1.1523", {"USD": "1.2", "JPY": "178.65"})
    listed = signed_in.get(ADDRESS).json()
    assert [each["day"] for each in listed["rates"]] == ["2026-11-20", "2026-11-19"]
    assert len(signed_in.get(f"{ADDRESS}?superseded=1").json()["rates"]) == 3


def test_further_currencies_complete_a_day(signed_in: Client) -> None:
    posted(signed_in, DAILY)
    done = posted(signed_in, b"Date,GBP\n2026-11-20,0.879\n").json()
    assert done["days_completed"] == 1
    in_force = ExchangeFixing.objects.get(superseded_at=None)
    assert in_force.rates == {"GBP": "0.879", "JPY": "178.65", "USD": "1.1523"}


def test_days_to_come_and_other_nonsense_are_refused(signed_in: Client) -> None:
    refused = posted(signed_in, b"Date,USD\n2026-12-24,1.2\n")
    assert "still to come" in refused.json()["errors"][0]["message"]
    assert posted(signed_in, DAILY, "?corrects=yes").status_code == 400
    assert posted(signed_in, DAILY, "?source=").json()["errors"][0]["field"] == "source"
    assert signed_in.get(f"{ADDRESS}?start=yesterday").status_code == 400


def test_the_page_imports_shows_and_says_what_is_wrong(signed_in: Client) -> None:
    assert "None yet" in signed_in.get(PAGE).text
    form = {"source": "European Central Bank"}
    wrong = SimpleUploadedFile("rates.csv", b"Date,USD\n2026-11-20,one\n")
    refused = signed_in.post(PAGE, {**form, "file": wrong})
    assert refused.status_code == 400
    assert "Line 2, column 2 (USD)" in refused.text
    done = signed_in.post(PAGE, {**form, "file": SimpleUploadedFile("r.csv", HISTORY)}, follow=True)
    assert "Days: 2 added." in done.text
    assert "Fri 2026-11-20" in done.text
    assert "1.1523" in done.text
    assert signed_in.post(PAGE, form).status_code == 400


def test_rates_hold_until_the_next_and_not_for_ever() -> None:
    friday = date(2026, 11, 20)
    exchange = Exchange("EUR", [Fixing(1, friday, {"USD": Decimal("1.25")})])
    known = [
        exchange.conversion("USD", friday + timedelta(days=days)) is not None
        for days in (-1, 0, 7, 8)
    ]
    assert known == [False, True, True, False]
    assert exchange.conversion("GBP", friday) is None


def euros(**rates: str) -> Exchange:
    """Dollars for one euro by day, as in d1030="2"."""
    days = {date(2026, int(name[1:3]), int(name[3:])): rate for name, rate in rates.items()}
    return Exchange(
        "EUR",
        [
            Fixing(number, day, {"USD": Decimal(rate)}, f"{day:%B}")
            for number, (day, rate) in enumerate(days.items())
        ],
    )


NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


def test_a_month_is_converted_by_the_mean_of_its_days() -> None:
    of_november = {"d1102": "1.25", "d1109": "1.6", "d1116": "1.25", "d1123": "1.6"}
    exchange = euros(d1030="2", **of_november)
    found = mean_conversion(exchange, "USD", NOVEMBER, DECEMBER)
    assert found is not None
    assert (found.factor, found.first, found.last, found.source) == (
        Decimal("0.7125"),
        date(2026, 11, 2),
        date(2026, 11, 23),
        "November",
    )


@pytest.mark.parametrize(
    ("rates", "end", "missing"),
    [
        ({"d1030": "2"}, date(2026, 11, 2), ""),
        ({"d1030": "2"}, date(2026, 11, 7), ""),
        ({"d1030": "2"}, date(2026, 11, 8), "2026-11-07"),
        ({"d1030": "2"}, DECEMBER, "2026-11-07 to 2026-11-30"),
        ({"d1102": "2", "d1103": "3"}, DECEMBER, "2026-11-01, 2026-11-11 to 2026-11-30"),
        ({"d1102": "2"}, date(2026, 11, 5), "2026-11-01"),
        ({}, date(2026, 11, 3), "2026-11-01 to 2026-11-02"),
    ],
)
def test_a_month_of_which_days_are_missing_has_no_mean(
    rates: dict[str, str], end: date, missing: str
) -> None:
    """Neither of a rate from before it, once it is over, nor of the days that were imported."""
    exchange = euros(**rates)
    assert days_in_words(unknown_days(exchange, "USD", NOVEMBER, end)) == missing
    found = mean_conversion(exchange, "USD", NOVEMBER, end)
    assert (found is None) == bool(missing)
    if found is not None:
        assert (found.factor, found.first) == (Decimal("0.5"), date(2026, 10, 30))


@pytest.mark.parametrize(
    ("last", "left", "said"),
    [
        (None, -1, "No rate of EUR in USD is known for 2026-11-21"),
        ("2026-11-13", -1, "No rate of EUR"),
        ("2026-11-14", 0, "is of 2026-11-14, 7 days old. It holds until 2026-11-21: import"),
        ("2026-11-16", 2, "is of 2026-11-16, 5 days old"),
        ("2026-11-17", 3, ""),
    ],
)
def test_rates_that_run_out_are_told_before_they_do(
    signed_in: Client, last: str | None, left: int, said: str
) -> None:
    gauge = "farthing_exchange_rate_days_left{"
    assert gauge not in signed_in.get("/metrics").text, "all is in the reporting currency"
    terms = {"name": "Seats", "kind": "fixed", "amount": "100", "effective_from": "2026-11-01"}
    act = Act(User.objects.get(), datetime(2026, 11, 21, 9, tzinfo=UTC))
    cost_items.make(cost_items.read({**terms, "currency": "EUR"}), act)
    if last:
        posted(signed_in, f"Date,USD\n{last},1.2\n".encode())
    page = signed_in.get(PAGE)
    assert said in page.text
    assert ("alert warn" in page.text) == bool(said)
    assert f'{gauge}currency="EUR"}} {left}.0' in signed_in.get("/metrics").text


def test_figures_are_never_called_another_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = settings.REPORTING_ZONE
    with connection.cursor() as cursor:
        rollups.touch_state(cursor, datetime(2026, 11, 21, tzinfo=UTC), zone)
        monkeypatch.setattr(settings, "CURRENCY", "EUR")
        with pytest.raises(CurrencyChanged, match="are in USD"):
            rollups.refuse_other_zone(cursor, zone)
        with pytest.raises(CurrencyChanged, match="Set FARTHING_CURRENCY=USD"):
            reporting_currency.refuse_other(connection)
    monkeypatch.setattr("finops.static_files.collect", lambda where: None)
    with pytest.raises(CommandError, match="in USD"):
        call_command("prepare")


def test_queries_say_so_too(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        rollups.touch_state(cursor, datetime(2026, 11, 21, tzinfo=UTC), settings.REPORTING_ZONE)
    monkeypatch.setattr(settings, "CURRENCY", "EUR")
    answer = signed_in.get("/api/v1/costs?period=7d")
    assert answer.status_code == 503
    assert "FARTHING_CURRENCY=USD" in answer.json()["detail"]


def test_ingest_refuses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: object) -> None:
        raise CurrencyChanged("USD", "EUR")

    monkeypatch.setattr(reporting_currency, "refuse_other", refuse)
    with pytest.raises(SystemExit, match="are in USD"):
        ingest_process.refuse_other_currency(conninfo())
