"""What the business counts: kept, sent by file and program, each number with its history."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from finops.models import (
    AuditRecord,
    BusinessMetric,
    BusinessMetricImport,
    BusinessMetricUpload,
    BusinessMetricValue,
)

pytestmark = pytest.mark.django_db
VALUES = "/api/v1/business-metrics/tickets/values"


@pytest.fixture
def kept(signed_in: Client) -> Client:
    make(signed_in, dimensions=["team"])
    return signed_in


def make(client: Client, **terms: Any) -> Any:
    given = {"key": "tickets", "name": "Tickets", "unit": "ticket", **terms}
    return client.post("/api/v1/business-metrics", given, content_type="application/json")


def csv(client: Client, *lines: str, query: str = "") -> Any:
    body = "\n".join(["period,team,value", *lines])
    return client.post(VALUES + query, body, content_type="text/csv")


def held(client: Client) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get(VALUES, {"period": "2026-10"}).json()["values"]
    return found


def errors(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [each["message"] for each in answer.json()["errors"]]


def test_what_is_sent_again_changes_nothing_and_another_number_is_on_record(kept: Client) -> None:
    lines = ("2026-10-01,cx,12", "2026-10-01,ads,3.5")
    assert csv(kept, *lines).json() == {
        **{"lines": 2, "added": 2, "replaced": 0, "known": 0, "is_preview": False},
        **{"first": "2026-10-01", "last": "2026-10-01"},
    }
    assert csv(kept, *lines).json()["known"] == 2
    assert BusinessMetricImport.objects.count() == 1
    looked = csv(kept, "2026-10-01,cx,13", "2026-10-02,cx,1", query="?preview=1").json()
    assert (looked["added"], looked["replaced"], looked["is_preview"]) == (1, 1, True)
    assert {each["value"] for each in held(kept)} == {"12", "3.5"}
    assert csv(kept, "2026-10-01,cx,13").json()["replaced"] == 1
    assert held(kept)[1] == {"period": "2026-10-01", "team": "cx", "value": "13"}
    before = BusinessMetricValue.objects.exclude(superseded_by=None).get()
    assert before.value == 12
    assert AuditRecord.objects.filter(action="business_metric.import").count() == 2


def test_a_value_is_taken_back(kept: Client) -> None:
    csv(kept, "2026-10-01,cx,12")
    body = {"values": [{"period": "2026-10-01", "team": "cx", "value": None}]}
    for replaced in (1, 0):
        answer = kept.post(VALUES, body, content_type="application/json")
        assert answer.json()["replaced"] == replaced
        assert held(kept) == []
    assert csv(kept, "2026-10-05,cx,unknown").json()["added"] == 0
    assert csv(kept, "2026-10-01,cx,12").json()["replaced"] == 1
    assert held(kept)[0]["value"] == "12"


def test_numbers_of_json_are_what_was_written(kept: Client) -> None:
    body = '{"values": [{"period": "2026-10-01", "team": "cx", "value": 0.1234567890123}]}'
    assert "12 decimals" in errors(kept.post(VALUES, body, content_type="application/json"))[0]
    body = (
        '{"values": [{"period": "2026-10", "team": "cx", "value": 123456789012345.123456789012}]}'
    )
    assert kept.post(VALUES, body, content_type="application/json").status_code == 200
    assert held(kept)[0] == {
        "period": "2026-10", "team": "cx", "value": "123456789012345.123456789012"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-10-32,cx,1", "Line 3, period: '2026-10-32' is no day or month"),
        ("20261001,cx,1", "is no day or month"),
        (",cx,1", "Line 3, period: is empty"),
        ("2026-10-02,cx,", "Line 3, value: is empty"),
        ("2026-10-02,,1", "Line 3, team: is empty; write Unattributed"),
        ("2026-10-02,cx,=1+1", "is a formula; write its result"),
        ('2026-10-02,cx,"1,000"', "without thousands' separators"),
        ("2026-10-02,cx,-1", "below zero"),
        ("2026-10-02,cx,NaN", "is no number"),
        ("2026-10-02,cx,1e99", "less than 10^18"),
        ("2026-10-02,cx,1,2", "columns: has more cells"),
        ("2026-10-01,cx,8", "Line 3, period: says the same day and values as line 2"),
        ("2026-10,cx,8", "Line 2, period: is a day of 2026-10, which line 3 gives as a whole"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_kept(kept: Client, line: str, said: str) -> None:
    assert any(said in each for each in errors(csv(kept, "2026-10-01,cx,7", line)))
    assert not BusinessMetricValue.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"period,team\n2026-10-01,cx", "It has no value."),
        (b"period,team,value,model\n2026-10-01,cx,1,x", "has no column 'model'"),
        (b"period,team,value,team\n", "'team' twice"),
        (b"period,team,value\n", "It has no values."),
        (b"period,team,value\n2026-10-01,c\xe4,1", "not text in UTF-8"),
        ("period,team,value\n2026-10-01,ä,1".encode("utf-16"), ""),
        ("\ufeffperiod,team,value\r\n2026-10-01,ä,1\r\n".encode(), ""),
    ],
)
def test_files_are_read_as_spreadsheets_save_them(kept: Client, body: bytes, said: str) -> None:
    answer = kept.post(VALUES, body, content_type="text/csv; charset=utf-8")
    if not said:
        assert answer.json()["added"] == 1, answer.text
        assert held(kept)[0]["team"] == "ä"
    else:
        assert any(part in errors(answer)[0] for part in said.split("|"))


@pytest.mark.parametrize("body", ["{", "[]", '{"values": 3}', '{"values": [1]}', '{"values": []}'])
def test_json_that_is_none_is_said(kept: Client, body: str) -> None:
    assert errors(kept.post(VALUES, body, content_type="application/json"))


def test_a_month_counts_once(kept: Client) -> None:
    csv(kept, "2026-10-01,cx,7")
    assert "would count twice" in errors(csv(kept, "2026-10,ads,9"))[0]
    assert len(held(kept)) == 1


def test_money_is_of_the_reporting_currency(signed_in: Client) -> None:
    make(signed_in, key="revenue", kind="money", unit="")
    address = "/api/v1/business-metrics/revenue/values"
    for currency, status in (("EUR", 400), ("usd", 200)):
        body = f"period,value,currency\n2026-10-01,-3,{currency}"
        answer = signed_in.post(address, body, content_type="text/csv")
        assert answer.status_code == status
        if status == 400:
            assert "convert the amounts to USD" in errors(answer)[0]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"key": "Tickets"}, "key"),
        ({"key": "tickets"}, "key"),
        ({"key": "x", "name": ""}, "name"),
        ({"key": "x", "unit": ""}, "unit"),
        ({"key": "x", "kind": "money"}, "unit"),
        ({"key": "x", "kind": "money", "unit": "", "adds_up": False}, "adds_up"),
        ({"key": "x", "adds_up": "no"}, "adds_up"),
        ({"key": "x", "dimensions": ["nothing"]}, "dimensions"),
        ({"key": "x", "dimensions": ["tag:unknown"]}, "dimensions"),
        ({"key": "x", "dimensions": ["team", "team"]}, "dimensions"),
        ({"key": "x", "filters": {"nothing": ["x"]}}, "filters"),
        ({"key": "x", "filters": {"tag:unknown": ["x"]}}, "filters"),
        ({"key": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_metric_that_cannot_be_is_named_by_field(
    kept: Client, terms: dict[str, Any], field: str
) -> None:
    answer = make(kept, **terms)
    assert answer.status_code == 400
    assert field in [each["field"] for each in answer.json()["errors"]]
    assert BusinessMetric.objects.count() == 1


def test_a_metric_changes_but_not_what_its_values_mean(kept: Client) -> None:
    address = "/api/v1/business-metrics/tickets"

    def change(**terms: Any) -> Any:
        return kept.patch(address, terms, content_type="application/json")

    assert change(name="Solved", filters={"feature": ["bot"]}).json()["name"] == "Solved"
    assert "mean something else" in errors(change(dimensions=[]))[0]
    csv(kept, "2026-10-01,cx,7")
    assert kept.get(address).json()["values"] == 1
    assert kept.delete(address).status_code == 204
    assert not BusinessMetricValue.objects.exists()
    assert kept.get(address).status_code == kept.delete(address).status_code == 404
    removed = AuditRecord.objects.get(action="business_metric.remove")
    assert removed.before["values"] == 1


def test_twenty_thousand_values_come_in_at_once(kept: Client) -> None:
    first = date(2020, 1, 1)
    lines = [f"{first + timedelta(days=n // 50)},team {n % 50},{n}" for n in range(20_000)]
    assert csv(kept, *lines).json()["added"] == 20_000
    assert csv(kept, *lines[:-1], lines[-1] + "1").json()["replaced"] == 1


def test_a_metric_is_made_and_filled_on_its_page(signed_in: Client) -> None:
    desk = "/settings/business-metrics"
    given = {"name": "Orders", "key": "orders", "unit": "order", "kind": "count", "adds_up": "on"}
    wrong = signed_in.post(desk, {**given, "filters": "feature"})
    assert wrong.status_code == 400
    assert "write dimension=value" in wrong.text
    given |= {"dimensions": "team, feature", "filters": "environment=!staging\nregion=eu"}
    page = signed_in.post(desk, given, follow=True)
    assert "Orders is there: send its values." in page.text
    held = BusinessMetric.objects.get()
    assert held.dimensions == ["team", "feature"]
    assert held.filters == {"environment": ["!staging"], "region": ["eu"]}
    file = SimpleUploadedFile("orders.csv", b"period,value,team,feature\n2026-10-01,4,cx,chat\n")
    looked = signed_in.post(f"{desk}/orders", {"file": file})
    assert "<strong>1 new</strong>" in looked.text
    assert not BusinessMetricValue.objects.exists()
    done = signed_in.post(f"{desk}/orders", {"apply": "1"}, follow=True)
    assert "1 values are new" in done.text
    assert "orders.csv" in done.text
    assert not BusinessMetricUpload.objects.exists()
    assert "choose it again" in signed_in.post(f"{desk}/orders", {"apply": "1"}).text
    bad = SimpleUploadedFile("orders.csv", b"period,value,team,feature\nnever,4,cx,chat\n")
    assert "is no day or month" in signed_in.post(f"{desk}/orders", {"file": bad}).text
    changed = {"change": "1", "name": "All orders", "unit": "order", "filters": ""}
    assert "All orders is saved." in signed_in.post(f"{desk}/orders", changed, follow=True).text
    gone = signed_in.post(f"{desk}/orders/remove", follow=True)
    assert "orders is removed" in gone.text
    assert "None yet." in gone.text
