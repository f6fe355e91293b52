"""Bills through the page and the API: taken in, told apart, accepted."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from finops.models import BillImport, BillLine, CostItem
from tests import figures, usage

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "provider_usage_samples"
OPENAI, ANTHROPIC = "openai_usage_cost_api_examples.json", "anthropic_formats.json"
pytestmark = pytest.mark.django_db


@pytest.fixture
def day() -> datetime:
    """A noon within what tests may record."""
    return (timezone.now() - timedelta(days=3)).astimezone(UTC).replace(hour=12)


@pytest.fixture
def spent(signed_in: Client, day: datetime) -> Client:
    """One request of openai's gpt-4o, which costs $0.0039375."""
    figures.price_models()
    usage.record([usage.event(day)], now=timezone.now())
    return signed_in


def bill(day: datetime, model: str = "gpt-4o", amount: str = "0.75") -> bytes:
    return f"Day,Model,Kind,Cost\n{day:%Y-%m-%d},{model},,{amount}\n".encode()


COLUMNS = {
    "column_day": "Day",
    "column_model": "Model",
    "column_kind": "Kind",
    "column_amount": "Cost",
    "provider": "openai",
}


def posted(client: Client, content: bytes, **asked: str) -> Any:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return client.post(f"/api/v1/bills?{query}", content, content_type="text/csv")


def uploaded(client: Client, content: bytes, name: str = "bill.csv", **more: str) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post("/reconcile", {"file": file, **more}, follow=True)


def test_a_bill_is_uploaded_read_and_accepted_on_the_page(spent: Client, day: datetime) -> None:
    assert "No bill of" in spent.get("/reconcile").text
    page = uploaded(spent, bill(day), **COLUMNS)
    assert f"month={day:%Y-%m}" in page.redirect_chain[-1][0]
    assert "bill.csv is in, lines: 1." in page.text
    assert "is billed than we know of, mostly unexplained" in page.text
    assert "$0.7461" in page.text
    assert "imported before" in uploaded(spent, bill(day), **COLUMNS).text
    days = spent.get(f"/reconcile?month={day:%Y-%m}&provider=openai&model=gpt-4o")
    assert "Days of openai gpt-4o" in days.text
    given = {"accept": "openai", "amount": "0.746062", "month": f"{day:%Y-%m}"}
    done = spent.post("/reconcile", given, follow=True)
    assert "True-up of openai" in done.text
    assert "nothing to accept" in done.text
    assert spent.post("/reconcile", given).status_code == 400
    assert CostItem.objects.get().reference == f"reconciliation {day:%Y-%m} openai"


def test_what_is_wrong_with_a_file_is_said_line_by_line(signed_in: Client, day: datetime) -> None:
    content = b"Day,Model,Kind,Cost\nnever,m,,1\n2026-10-01,m,,much\n"
    page = uploaded(signed_in, content, **COLUMNS)
    assert page.status_code == 400
    assert "line 2, Day" in page.text
    assert "line 3, Cost" in page.text
    assert signed_in.post("/reconcile", {}).status_code == 400
    assert "the day" in uploaded(signed_in, bill(day), column_amount="Cost", provider="p").text
    assert not BillImport.objects.exists()


def test_the_api_takes_bills_and_tells_the_month(spent: Client, day: datetime) -> None:
    made = posted(spent, bill(day), name="october.csv", **COLUMNS)
    assert (made.status_code, made.json()["is_new"]) == (201, True)
    again = posted(spent, bill(day), name="october.csv", **COLUMNS)
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    [held] = spent.get("/api/v1/bills").json()["imports"]
    assert (held["name"], held["lines"], held["lines_in_force"]) == ("october.csv", 1, 1)
    address = f"/api/v1/reconciliations/{day:%Y-%m}"
    found = spent.get(f"{address}.json").json()
    assert found["totals"]["difference"] == "0.7460625"
    [provider] = found["providers"]
    assert (provider["provider"], provider["remaining"]) == ("openai", "0.746062")
    terms = {"provider": "openai", "amount": provider["remaining"]}
    accepted = spent.post(f"{address}/true-ups", terms, content_type="application/json")
    assert accepted.status_code == 201
    assert spent.get(f"{address}.json").json()["providers"][0]["remaining"] == "0"
    refused = spent.post(f"{address}/true-ups", {"provider": 1}, content_type="application/json")
    assert refused.status_code == 400


def test_names_of_models_are_no_formulas_in_the_csv(signed_in: Client, day: datetime) -> None:
    posted(signed_in, bill(day, "=cmd()"), **COLUMNS)
    text = signed_in.get(f"/api/v1/reconciliations/{day:%Y-%m}.csv").getvalue().decode()
    [row] = csv.DictReader(text.splitlines())
    assert (row["model"], row["billed"], row["coverage"], row["ours"]) == (
        "'=cmd()", "0.75", "0.75", "0",
    )  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        {"unknown": "1"},
        {"day": "never"},
        {"column_day": "Day"},
        {**COLUMNS, "unit": "0"},
        {**COLUMNS, "currency": "EURO"},
        {"provider": "openai"},
        {**COLUMNS, "name": "x" * 300},
    ],
    ids=["unknown", "day", "columns", "unit", "currency", "provider alone", "name"],
)
def test_wrong_parameters_are_refused_by_name(
    signed_in: Client, day: datetime, asked: dict[str, str]
) -> None:
    answer = posted(signed_in, bill(day), **asked)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert not BillImport.objects.exists()


def test_an_import_is_withdrawn_on_the_page_and_by_the_api(spent: Client, day: datetime) -> None:
    one = posted(spent, bill(day, amount="0.5"), **COLUMNS).json()
    two = posted(spent, bill(day), **COLUMNS).json()
    assert two["lines_replaced"] == 1
    given = {"withdraw": two["id"], "month": f"{day:%Y-%m}"}
    page = spent.post("/reconcile", given, follow=True)
    assert "is withdrawn. 1 line of earlier imports hold" in page.text
    assert spent.post("/reconcile", given).status_code == 400
    assert spent.post("/reconcile", {"withdraw": "x"}).status_code == 400
    address = f"/api/v1/reconciliations/{day:%Y-%m}.json"
    assert spent.get(address).json()["totals"]["billed"] == "0.5"
    gone = spent.delete(f"/api/v1/bills/{one['id']}")
    assert (gone.status_code, gone.json()["lines_restored"]) == (200, 0)
    assert spent.delete("/api/v1/bills/99999").status_code == 404
    assert spent.get(address).json()["cells"] == []
    held = spent.get("/api/v1/bills").json()["imports"]
    assert [each["withdrawn_by"] for each in held] == ["ada", "ada"]


def test_a_usage_report_alone_says_nothing_of_what_was_billed(spent: Client, day: datetime) -> None:
    counts = {"uncached_input_tokens": 1000, "output_tokens": 200}
    usage.record([usage.event(day, provider="anthropic")], now=timezone.now())
    posted(spent, json.dumps(counts).encode(), day=f"{day:%Y-%m-%d}")
    page = spent.get(f"/reconcile?month={day:%Y-%m}")
    assert "What was billed is not known" in page.text
    assert "Import its costs too" in page.text
    assert 'name="accept"' not in page.text
    found = spent.get(f"/api/v1/reconciliations/{day:%Y-%m}.json").json()
    assert (found["totals"]["billed"], found["providers"][0]["remaining"]) == (None, "0")
    assert {each["reason"] for each in found["unbilled"]} == {"no report", "no amount"}


def test_accounts_are_mapped_on_the_page_by_the_api_and_as_a_file(
    spent: Client, day: datetime
) -> None:
    rows = f"Day,Account,Cost\n{day:%Y-%m-%d},proj_1,0.75\n"
    columns = {"column_day": "Day", "column_account": "Account", "column_amount": "Cost"}
    posted(spent, rows.encode(), **columns, provider="openai")
    address = f"/reconcile/accounts?month={day:%Y-%m}"
    assert "1 of the accounts" in spent.get(address).text
    given = {"provider": "openai", "account": "proj_1", "month": f"{day:%Y-%m}"}
    assert spent.post("/reconcile/accounts", given).status_code == 400
    page = spent.post("/reconcile/accounts", given | {"service": "tests"}, follow=True)
    assert "is the bill of service tests now" in page.text
    found = spent.get(f"/api/v1/reconciliations/{day:%Y-%m}.csv?by=account").getvalue().decode()
    [row] = csv.DictReader(found.splitlines())
    assert (row["account"], row["ours"], row["billed"]) == ("service tests", "0.0039375", "0.75")
    assert "service tests" in spent.get(f"/reconcile?month={day:%Y-%m}&by=account").text
    exported = spent.get("/api/v1/bill-accounts.csv").getvalue()
    assert exported.decode().splitlines() == [
        "provider,account,service,team", "openai,proj_1,tests,",
    ]  # fmt: skip
    more = exported + b"openai,'=cmd(),,one\r\nopenai,proj_1,,two\r\n"
    refused = spent.put("/api/v1/bill-accounts.csv", more, content_type="text/csv")
    assert refused.status_code == 400
    assert "Line 4, account: it is in the file twice." in str(refused.json())
    upload = SimpleUploadedFile("accounts.csv", more[: more.rindex(b"openai")])
    assert spent.post("/reconcile/accounts", {"file": upload}, follow=True).status_code == 200
    terms = {"provider": "openai", "account": "proj_1", "team": "one"}
    assert spent.put("/api/v1/bill-accounts", terms, "application/json").status_code == 200
    wrong = spent.put("/api/v1/bill-accounts", {"service": "x"}, "application/json")
    assert [each["field"] for each in wrong.json()["errors"]] == ["provider", "account"]
    gone = spent.delete("/api/v1/bill-accounts?provider=openai&account=proj_1")
    assert gone.status_code == 204
    [left] = spent.get("/api/v1/bill-accounts").json()["accounts"]
    assert (left["account"], left["service"], left["team"]) == ("=cmd()", None, "one")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of ../shared are not here")
def test_samples_of_providers_import_through_page_and_api_and_do_not_double(
    signed_in: Client,
) -> None:
    openai, anthropic = ((SAMPLES / name).read_bytes() for name in (OPENAI, ANTHROPIC))
    assert "further pages" in uploaded(signed_in, openai, OPENAI).text
    assert "without a day" in uploaded(signed_in, anthropic, ANTHROPIC).text
    assert uploaded(signed_in, anthropic, ANTHROPIC, day="2026-10-01").status_code == 200
    count = BillLine.objects.count()
    assert posted(signed_in, openai, name=OPENAI).json()["is_new"] is False
    assert posted(signed_in, json.dumps(json.loads(openai)).encode()).json()["is_new"] is True
    assert posted(signed_in, anthropic, day="2026-10-01").status_code == 200
    assert BillLine.objects.filter(superseded_by=None).count() == count
    month = signed_in.get("/api/v1/reconciliations/2026-10.json").json()
    assert {cell["provider"] for cell in month["cells"]} == {"anthropic"}
    assert {cell["status"] for cell in month["cells"]} == {"no amount"}
