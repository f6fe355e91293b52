"""Files of a month go out by themselves: once for each occasion, whole, until they arrive."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bucket_server import SECRET, Bucket
from bucket_server import bucket as bucket
from desks import reader
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from telling import Mails
from telling import mails as mails

from finops import scheduled_exports
from finops.books import closing, streaming
from finops.cells import csv_pieces
from finops.channels import outcomes
from finops.cost_items.table import HEADER
from finops.models import Alert, AuditRecord, ExportRun, ExportSchedule, StatementVersion
from finops.organisation.stored import Act
from finops.scheduled_exports import keeping, occasions, running, terms
from tests import figures, ownership, usage

ZONE = settings.REPORTING_ZONE
START = datetime(2026, 10, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
MAIL = {"name": "To finance", "addresses": ["Fin@example.org", "cfo@example.org"]}

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(administrator: User) -> User:
    """Prices, a cost center, and usage of October and the days after it."""
    figures.price_models()
    ownership.make_centers("CC-1")
    usage.record(figures.random_events(7, 90, START, START + timedelta(days=33)), now=NOW)
    return administrator


def made(ada: User, given: dict[str, Any], at: datetime = NOW) -> ExportSchedule:
    return keeping.add(terms.read({"format": "csv", **given}), Act(ada, at))


def closed(ada: User, at: datetime = NOW) -> StatementVersion:
    return closing.close(OCTOBER, Act(ada, at), acknowledged=ALL)


def turn(at: datetime) -> list[ExportRun]:
    """One turn of the worker at this moment."""
    scheduled_exports.raise_due(at, ZONE)
    return list(scheduled_exports.proceed(lambda: at, lambda: True))


def file_of(statement: StatementVersion) -> bytes:
    return "".join(csv_pieces(HEADER, streaming.rows_of_statement(statement))).encode()


def test_a_month_that_closes_is_mailed_once_to_each_mailbox(ada: User, mails: Mails) -> None:
    made(ada, MAIL)
    assert turn(NOW) == []
    statement = closed(ada, NOW + timedelta(hours=1))
    [run] = turn(NOW + timedelta(hours=2))
    assert (run.state, run.version, run.sha256) == ("sent", 1, statement.checksum)
    assert turn(NOW + timedelta(hours=3)) == []
    assert sorted(mails.recipients) == ["cfo@example.org", "fin@example.org"]
    assert mails.header("Subject") == ["To finance: October 2026, closed, version 1"] * 2
    for mail in mails.received:
        [attached] = mail.iter_attachments()
        assert attached.get_filename() == "allocation-2026-10-v1.csv"
        content = attached.get_content()
        whole = content if isinstance(content, bytes) else content.encode()
        assert whole.replace(b"\r\n", b"\n") == file_of(statement).replace(b"\r\n", b"\n")
        text = mail.get_body(("plain",))
        assert text is not None
        assert statement.checksum in text.get_content()


def test_a_bucket_gets_the_file_byte_for_byte_and_then_its_manifest(
    ada: User, bucket: Bucket
) -> None:
    made(ada, {"name": "Lake", **bucket.terms, "prefix": "farthing/books/"})
    statement = closed(ada)
    [run] = turn(NOW)
    assert (run.state, run.detail) == ("sent", "")
    root = "/acme-finops/farthing/books/csv"
    archived = f"{root}/_versions/month=2026-10/allocation-2026-10-v1.csv"
    path, described = f"{root}/month=2026-10/allocation-2026-10.csv", "_manifest.json"
    assert list(bucket.objects) == [archived, path, f"{root}/month=2026-10/{described}"]
    assert bucket.objects[path] == bucket.objects[archived] == file_of(statement)
    assert bucket.kinds[path] == "text/csv; charset=utf-8"
    manifest = json.loads(bucket.objects[f"{root}/month=2026-10/{described}"])
    assert manifest["sha256"] == statement.checksum == run.sha256
    assert manifest["bytes"] == run.size == len(bucket.objects[path])
    assert (manifest["month"], manifest["status"], manifest["version"]) == ("2026-10", "closed", 1)
    assert manifest["total_cost"] == statement.totals["total_cost"]


def test_workbooks_and_focus_go_out_too(ada: User, bucket: Bucket) -> None:
    for name in ("xlsx", "focus"):
        made(ada, {"name": name, **bucket.terms, "format": name})
    statement = closed(ada)
    assert [each.state for each in turn(NOW)] == ["sent", "sent"]
    month = "month=2026-10/allocation-2026-10"
    assert bucket.objects[f"/acme-finops/xlsx/{month}.xlsx"].startswith(b"PK")
    focus = bucket.objects[f"/acme-finops/focus/{month}.focus.csv"].decode()
    rows = csv.DictReader(focus.splitlines())
    effective = sum((Decimal(row["EffectiveCost"]) for row in rows), Decimal(0))
    assert effective == Decimal(statement.totals["total_cost"])


def test_a_reopened_month_that_closes_again_is_another_file(ada: User, bucket: Bucket) -> None:
    bob = User.objects.create_superuser("bob", "bob@example.org", "correct horse battery")
    made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    turn(NOW)
    closing.ask_reopening(OCTOBER, "A bill was missing.", Act(ada, NOW))
    closing.reopen(OCTOBER, Act(bob, NOW))
    closed(ada, NOW + timedelta(hours=1))
    turn(NOW + timedelta(hours=1))
    names = [each.rpartition("/")[2] for each in bucket.objects if each.endswith("csv")]
    whole, first, second = (f"allocation-2026-10{each}.csv" for each in ("", "-v1", "-v2"))
    assert names == [first, whole, second], "who reads all months counts each once"
    place = "/acme-finops/csv/month=2026-10/allocation-2026-10.csv"
    assert (
        bucket.objects[place]
        == bucket.objects[f"/acme-finops/csv/_versions/month=2026-10/{second}"]
    )


def test_what_a_bucket_refuses_is_tried_again_and_people_are_told_once(
    ada: User, bucket: Bucket
) -> None:
    made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    bucket.denies, at, waits = 7, NOW, []
    while ExportRun.objects.exclude(state="sent").exists() or not waits:
        [run] = turn(at)
        if run.state != "sent":
            assert run.detail == (
                "The bucket answered 403: AccessDenied: No s3:PutObject & no luck"
            )
            waits.append((run.next_at - at).total_seconds() / 60)
            assert turn(run.next_at - timedelta(seconds=1)) == []
        at = run.next_at
    assert waits == [1, 2, 4, 8, 16, 32, 64]
    [alert] = Alert.objects.filter(kind="export_not_sent")
    assert alert.title == "The export Lake of October 2026 does not arrive"
    assert "AccessDenied" in alert.facts["said"]


def test_after_three_days_it_is_given_up_until_somebody_has_it_tried_again(
    ada: User, bucket: Bucket
) -> None:
    schedule = made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    bucket.denies = 2
    turn(NOW)
    late = NOW + timedelta(days=3, hours=1)
    [run] = turn(late)
    assert run.state == "failed"
    assert turn(late + timedelta(days=1)) == []
    keeping.again(schedule.pk, run.pk, Act(ada, late))
    assert [each.state for each in turn(late)] == ["sent"]


def test_a_mailbox_that_has_it_is_not_mailed_again(ada: User, mails: Mails) -> None:
    made(ada, MAIL)
    closed(ada)
    mails.refuses["cfo@example.org"] = "451 later"
    [run] = turn(NOW)
    assert run.state == "waiting"
    assert "1 of 2 mailboxes" in run.detail
    mails.refuses.clear()
    assert [each.state for each in turn(run.next_at)] == ["sent"]
    assert mails.recipients == ["fin@example.org", "cfo@example.org"]


def test_what_is_too_large_for_mail_is_said_with_a_link(
    ada: User, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.scheduled_exports.mailing.MOST_BYTES", 10)
    made(ada, {**MAIL, "addresses": ["fin@example.org"]})
    closed(ada)
    turn(NOW)
    [mail] = mails.received
    assert list(mail.iter_attachments()) == []
    text = mail.get_body(("plain",))
    assert text is not None
    assert "too large for a mail" in text.get_content()
    assert "/allocation?month=2026-10" in text.get_content()


def test_a_draft_says_that_it_is_one_and_the_next_replaces_it(ada: User, bucket: Bucket) -> None:
    made(ada, {"name": "Daily", **bucket.terms, "occasion": "daily", "hour": 7})
    assert turn(NOW) == [], "its hour of today was over"
    [first] = turn(datetime(2026, 11, 4, 7, 5, tzinfo=UTC))
    [second] = turn(datetime(2026, 11, 5, 9, tzinfo=UTC))
    assert first.file_name == second.file_name == "allocation-2026-11-draft.csv"
    assert first.occasion != second.occasion
    [path] = [each for each in bucket.objects if each.endswith("csv")]
    assert bucket.objects[path].splitlines()[1].endswith(b",draft")


def test_monthly_it_sends_the_month_before_as_it_stands(ada: User, bucket: Bucket) -> None:
    made(ada, {"name": "Monthly", **bucket.terms, "occasion": "monthly", "day": 5, "hour": 0})
    closed(ada)
    assert turn(NOW) == []
    [run] = turn(datetime(2026, 11, 9, tzinfo=UTC))
    assert (run.month, run.file_name) == (OCTOBER, "allocation-2026-10-v1.csv")


def test_whoever_dies_while_sending_lets_go_and_another_sends_it(
    ada: User, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    scheduled_exports.raise_due(NOW, ZONE)
    with monkeypatch.context() as patch:
        patch.setattr("finops.scheduled_exports.running.attempt", dies)
        with pytest.raises(SystemExit):
            turn(NOW)
    assert turn(NOW + timedelta(minutes=39)) == [], "it might still be at it"
    assert [each.state for each in turn(NOW + timedelta(minutes=41))] == ["sent"]


def test_what_a_turn_says_after_its_lease_has_run_out_undoes_nothing(
    ada: User, bucket: Bucket
) -> None:
    made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    scheduled_exports.raise_due(NOW, ZONE)
    slow = running.claim(NOW)
    assert slow
    [sent] = turn(NOW + timedelta(hours=1))
    later = outcomes.later("It took too long.")
    assert running.record(slow.pk, 1, later, None, NOW + timedelta(hours=2)).state == "sent"
    assert ExportRun.objects.get().ended_at == sent.ended_at


def test_who_dies_each_time_is_given_up_and_people_are_told(ada: User, bucket: Bucket) -> None:
    made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    scheduled_exports.raise_due(NOW, ZONE)
    for hours in range(6):
        running.claim(NOW + timedelta(hours=hours))
    assert ExportRun.objects.get().state == "failed"
    assert Alert.objects.filter(kind="export_not_sent").count() == 1


def dies(*_: object) -> None:
    raise SystemExit


def test_paused_it_sends_nothing_and_makes_up_for_nothing(ada: User, mails: Mails) -> None:
    schedule = made(ada, MAIL)
    keeping.turn(schedule.pk, pause=True, act=Act(ada, NOW))
    closed(ada, NOW + timedelta(hours=1))
    assert turn(NOW + timedelta(hours=2)) == []
    keeping.turn(schedule.pk, pause=False, act=Act(ada, NOW + timedelta(hours=3)))
    assert turn(NOW + timedelta(hours=4)) == []


def test_removed_it_forgets_its_keys_and_sends_nothing_that_waits(
    ada: User, bucket: Bucket
) -> None:
    schedule = made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    scheduled_exports.raise_due(NOW, ZONE)
    keeping.remove(schedule.pk, Act(ada, NOW))
    assert turn(NOW) == []
    assert bytes(ExportSchedule.objects.get().secret) == b""
    made(ada, {"name": "Lake", **bucket.terms})


def test_the_secret_key_is_nowhere_to_be_read(ada: User, bucket: Bucket, client: Client) -> None:
    schedule = made(ada, {"name": "Lake", **bucket.terms})
    closed(ada)
    bucket.denies = 1
    turn(NOW)
    client.force_login(ada)
    pages = ("/settings/exports", f"/settings/exports/{schedule.pk}", "/audit")
    said = [client.get(page).text for page in pages]
    said += [str(each.before) + str(each.after) for each in AuditRecord.objects.all()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT export_schedule::text, export_run::text FROM export_schedule, export_run"
        )
        said += [str(cursor.fetchall())]
    assert all(SECRET not in each and SECRET.encode().hex() not in each for each in said)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"name": ""}, "name", "what people call it"),
        ({"name": "a\nb"}, "name", "in one line"),
        ({"format": "pdf"}, "format", "Choose one of csv, xlsx, focus"),
        ({"occasion": "hourly"}, "occasion", "Choose one of"),
        ({"occasion": "monthly"}, "day", "from 1 to 28"),
        ({"occasion": "monthly", "day": 31}, "day", "from 1 to 28"),
        ({"day": 3}, "day", "once a month"),
        ({"hour": 24}, "hour", "from 0 to 23"),
        ({"hour": True}, "hour", "from 0 to 23"),
        ({"addresses": []}, "addresses", "at least one"),
        ({"addresses": ["nobody"]}, "addresses", "no e-mail address"),
        ({"addresses": 3}, "addresses", "a list"),
        ({"bucket": "b"}, "bucket", "Only of a bucket"),
        ({"colour": "red"}, "colour", "no such field"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(given: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        terms.read({"format": "csv", **MAIL, **given})
    assert said in " ".join(raised.value.message_dict[field])


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"bucket": "Upper.Case"}, "bucket", "small letters"),
        ({"region": ""}, "region", "us-east-1"),
        ({"prefix": "a b"}, "prefix", "letters"),
        ({"prefix": "../b"}, "prefix", "letters"),
        ({"endpoint": "https://user:pw@example.org"}, "endpoint", "user name"),
        ({"endpoint": "https://example.org/path"}, "endpoint", "host alone"),
        ({"endpoint": "http://169.254.169.254"}, "endpoint", "not an address of the Internet"),
        ({"endpoint": "http://example.org"}, "endpoint", "https://"),
        ({"secret_access_key": ""}, "secret_access_key", "as the bucket's owner gave it"),
        ({"addresses": ["a@example.org"]}, "addresses", "Only of e-mail"),
    ],
)
def test_a_bucket_that_could_never_be_reached_is_refused_at_once(
    given: dict[str, Any], field: str, said: str
) -> None:
    bucket = {**Bucket("").terms, "name": "Lake", "format": "csv"}
    with pytest.raises(ValidationError) as raised:
        terms.read({**bucket, **given})
    assert said in " ".join(raised.value.message_dict[field])


@pytest.mark.parametrize(
    ("now", "key", "month"),
    [
        ("2026-11-01T07:00", "2026-11-01", date(2026, 10, 1)),
        ("2026-11-01T05:59", "2026-10-31", date(2026, 10, 1)),
        ("2026-11-02T06:00", "2026-11-02", date(2026, 11, 1)),
        ("2027-01-01T06:00", "2027-01-01", date(2026, 12, 1)),
    ],
)
def test_a_day_s_file_is_of_the_month_of_the_day_before(now: str, key: str, month: date) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    found = occasions.daily(6, datetime.fromisoformat(now).replace(tzinfo=zone), zone)
    assert (found.key, found.month) == (key, month)


@pytest.mark.parametrize(
    ("now", "month"),
    [
        ("2026-03-28T01:59", date(2026, 1, 1)),
        ("2026-03-28T02:00", date(2026, 2, 1)),
        ("2027-01-28T02:00", date(2026, 12, 1)),
    ],
)
def test_a_month_s_file_is_of_the_month_before(now: str, month: date) -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = occasions.monthly(28, 2, datetime.fromisoformat(now).replace(tzinfo=zone), zone)
    assert found.month == month


def posted(browser: Client, path: str, given: dict[str, Any]) -> Any:
    return browser.post(path, given, content_type="application/json")


def test_the_api_makes_changes_runs_and_removes_one(
    ada: User, bucket: Bucket, client: Client
) -> None:
    client.force_login(ada)
    path = "/api/v1/export-schedules"
    answer = posted(client, path, {"name": "Lake", "format": "csv", **bucket.terms})
    assert answer.status_code == 201
    assert "secret" not in json.dumps(answer.json())
    one = f"{path}/{answer.json()['id']}"
    elsewhere = client.patch(one, {"bucket": "b-2"}, content_type="application/json")
    assert elsewhere.json()["errors"][0]["field"] == "secret_access_key"
    changed = client.patch(one, {"prefix": "x"}, content_type="application/json").json()
    assert (changed["prefix"], changed["bucket"]) == ("x", "acme-finops")
    assert client.get(path).json() == {"export_schedules": [changed]}
    run = posted(client, f"{one}/runs", {"month": "2026-10"})
    assert (run.status_code, run.json()["state"]) == (202, "waiting")
    turn(datetime.now(UTC))
    [done] = client.get(f"{one}/runs").json()["runs"]
    assert (done["state"], done["asked_by"], done["month"]) == ("sent", "ada", "2026-10")
    sent = bucket.objects["/acme-finops/x/csv/month=2026-10/allocation-2026-10.csv"]
    assert done["sha256"] == hashlib.sha256(sent).hexdigest()
    wrong = posted(client, f"{one}/runs", {"month": "2999-01"})
    assert wrong.json()["errors"][0]["field"] == "month"
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_the_page_makes_one_and_says_what_became_of_it(
    ada: User, bucket: Bucket, client: Client
) -> None:
    client.force_login(ada)
    given = {**bucket.terms, "name": "Lake", "format": "csv", "occasion": "close", "hour": "6"}
    given["path_style"] = "on"
    wrong = client.post("/settings/exports/new?to=bucket", {**given, "bucket": "No"})
    assert wrong.status_code == 400
    assert "small letters" in wrong.text
    answer = client.post("/settings/exports/new?to=bucket", given)
    page = answer["Location"]
    client.post(f"{page}/send", {"month": "2026-10"})
    bucket.denies = 1
    turn(datetime.now(UTC))
    assert "AccessDenied" in client.get(page).text
    assert "AccessDenied" in client.get("/settings/exports").text
    client.post(f"{page}/again", {"run": ExportRun.objects.get().pk})
    turn(datetime.now(UTC))
    assert "allocation-2026-10-draft.csv" in client.get(page).text
    client.post(f"{page}/pause")
    assert "paused" in client.get("/settings/exports").text
    client.post(f"{page}/remove")
    assert client.get(page).status_code == 404


@pytest.mark.parametrize(("role", "status"), [("finance", 200), ("engineer", 403)])
def test_finance_keeps_them_and_engineers_do_not_see_them(role: str, status: int) -> None:
    browser = reader(role)
    for path in ("/settings/exports", "/settings/exports/new?to=email"):
        assert browser.get(path).status_code == status
