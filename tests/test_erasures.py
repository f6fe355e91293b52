"""Erasing a user: the name is nowhere, the figures stay, and there is proof."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from psycopg import sql

from finops import audit, erasures
from finops.erasures.certificates import certificate
from finops.models import (
    AuditRecord,
    CardinalityOverflow,
    Delivery,
    Erasure,
    IngestKey,
    StatementLine,
    StatementVersion,
)
from tests import telling, usage
from tests.desks import reader
from tests.telling import channel

pytestmark = pytest.mark.django_db
NAME = "Ann (O'Hara+1)\"\\é@example.org"


@pytest.fixture
def at() -> datetime:
    return timezone.now() - timedelta(hours=1)


@pytest.fixture
def traces(at: datetime) -> None:
    of_ann = {"user": NAME, "feature": "chat", "team": "cx"}
    usage.record(
        [
            usage.event(at, **of_ann, session=f"s/{NAME}", tags={"who": NAME.lower(), NAME: "x"}),
            usage.event(at, **of_ann | {"id": f"{NAME}-7"}, stages_ms={f"for{NAME}": 1}),
            usage.event(at, **of_ann | {"feature": f"for{NAME}s"}, prompt_hash=NAME),
            usage.event(at, **of_ann, session=json.dumps({"user": NAME})),
            usage.event(at, user="bob", feature="chat", team="cx", session=f"with {NAME}"),
            usage.event(at, user="bob", feature=f"beside {NAME}", team="cx"),
            usage.event(at, user="x" + NAME, feature=f"beside {NAME}", team="cx"),
        ],
        now=timezone.now(),
    )
    audit.record("key.create", f"for {NAME}", at=at, by="ada", after={NAME: [NAME]}, reason=NAME)
    CardinalityOverflow.objects.create(
        dimension="feature", team=NAME, first_at=at, last_at=at, times=3, examples={NAME: 3}
    )
    IngestKey.objects.create(prefix="fk_1", digest=b"1", service="s", name=f"{NAME}'s key")


def dump() -> str:
    """Every text and JSON column of every table, in lower case."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema()"
            " AND data_type IN ('text', 'character varying', 'jsonb')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                sql.SQL("SELECT to_json({}::text) #>> '{{}}' FROM {}").format(
                    sql.Identifier(column), sql.Identifier(table)
                )
            )
            found += [str(value) for (value,) in cursor.fetchall()]
    return "\n".join(found).lower()


def sums() -> list[tuple[object, ...]]:
    rows = []
    with connection.cursor() as cursor:
        for table in (
            *("rollup_hour", "rollup_day", "rollup_user_day", "rollup_user_total"),
            "rollup_day_users",
        ):
            cursor.execute(
                sql.SQL("SELECT * FROM {} AS r ORDER BY r::text").format(sql.Identifier(table))
            )
            rows += cursor.fetchall()
        cursor.execute(
            "SELECT day, user_id, attribution_id, event_key, effective_cost, list_cost"
            " FROM usage_event ORDER BY event_key"
        )
        return rows + cursor.fetchall()


def erased(**options: bool) -> Erasure:
    erasures.begin(NAME, "ada", timezone.now(), **options)
    assert erasures.proceed(timezone.now()) == []  # ingest may still know the old name
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    return erasure


@pytest.mark.usefixtures("traces")
def test_the_name_is_nowhere_and_every_sum_is_as_before() -> None:
    before = sums()
    assert "o'hara" in dump()
    erasure = erased()
    assert dump().count("o'hara") == 1  # xAnn's own
    assert sums() == before
    assert erasure.sums_before == erasure.sums_after
    assert erasure.sums_after["events"]["requests"] == "4"
    assert erasure.sums_after["events"] == erasure.sums_after["rollups"]
    changed = {"end_user": 1, "attribution": 2, "usage_event": 5, "audit_record": 1}
    assert erasure.changed == changed | {"cardinality_overflow": 1, "ingest_key": 1}
    assert erasure.within_words == {"end_user.name": 1}
    assert erasure.remaining == {}


def test_statements_of_closed_months_stay_and_are_counted_among_what_remains(at: datetime) -> None:
    usage.record([usage.event(at, user=NAME)], now=timezone.now())
    statement = StatementVersion.objects.create(
        month=at.date().replace(day=1), version=1, closed_at=at, closed_by="ada", totals={}
    )
    StatementLine.objects.create(
        statement=statement,
        feature=f"{NAME} report",
        requests=1,
        direct_cost=1,
        **dict.fromkeys(("unpriced_requests", "input_tokens", "output_tokens"), 0),
        **dict.fromkeys(("shared_cost", "idle_cost", "adjustment"), 0),
    )
    remaining = certificate(erased(is_everywhere=True))["rows_with_the_name_as_a_word"]
    assert remaining == {"statement_line.feature": 1}
    assert StatementLine.objects.get().feature == f"{NAME} report"


def erased_on_the_page(browser: Client, **fields: str) -> Erasure:
    given = {"name": NAME, "typed": NAME, "is_everywhere": "on", **fields}
    response = browser.post("/settings/privacy/erase", given)
    assert response.status_code == 302, response.text
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    return erasure


@pytest.mark.usefixtures("traces")
def test_the_certificate_proves_itself_and_the_log_names_nobody(signed_in: Client) -> None:
    erasure = erased_on_the_page(signed_in)
    told = signed_in.get(f"/settings/privacy/erasures/{erasure.pk}.json").json()
    newest = (erasure.began_at + timedelta(hours=1)).astimezone(UTC).date().isoformat()
    assert max(told["days_of_events_searched"]) <= newest
    proof = told.pop("sha256")
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == proof
    page = signed_in.get(f"/settings/privacy/erasures/{erasure.pk}").text
    assert proof in page
    assert "Now the name stands as a word in none of them" in page
    assert "without its member <code>sha256</code>" in page
    assert f"<title>Erasure of {erasure.label} ·" in page
    record = AuditRecord.objects.get(action="user.erase")
    assert (record.actor, record.subject) == ("ada", erasure.label)
    assert "o'hara" not in json.dumps(told).lower()


@pytest.mark.usefixtures("traces")
def test_a_user_is_shown_first_and_erased_when_the_name_is_typed_again(signed_in: Client) -> None:
    page = signed_in.post("/settings/privacy/erase", {"name": NAME})
    assert page.status_code == 200
    assert "4 requests" in page.text
    assert "checked" in page.text
    wrong = signed_in.post("/settings/privacy/erase", {"name": NAME, "typed": "ann"})
    assert wrong.status_code == 400
    assert "Type it exactly" in wrong.text
    for name in ("", "nobody", "(overflow)", "a\0b", "a" * 300):
        for more in ({}, {"typed": name}):
            answer = signed_in.post("/settings/privacy/erase", {"name": name, **more})
            assert answer.status_code == 400
    assert not Erasure.objects.exists()


def test_an_everyday_word_is_left_in_other_records_unless_asked(
    signed_in: Client, at: datetime
) -> None:
    usage.record(
        [
            usage.event(at, user="search", feature="search", session="search-1"),
            usage.event(at, user="bob", feature="search", session="in search of"),
            usage.event(at, user="bob", feature="find", session="research"),
        ],
        now=timezone.now(),
    )
    page = signed_in.post("/settings/privacy/erase", {"name": "search"}).text
    assert "a feature" in page
    assert "checked" not in page
    signed_in.post("/settings/privacy/erase", {"name": "search", "typed": "search"})
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert erasure.remaining == {"attribution.feature": 1, "usage_event.session": 1}
    assert erasure.within_words == {"usage_event.session": 1}
    assert erasure.changed == {"end_user": 1, "usage_event": 1}
    page = signed_in.get(f"/settings/privacy/erasures/{erasure.pk}").text
    assert "attribution.feature" in page


@pytest.mark.parametrize("role", ["finance", "engineer", "viewer"])
def test_only_administrators_erase(role: str) -> None:
    browser = reader(role, "cx")
    for path in ("", "/erasures/1", "/erasures/1.json"):
        assert browser.get(f"/settings/privacy{path}").status_code == 403
    answer = browser.post("/settings/privacy/erase", {"name": "bob", "typed": "bob"})
    assert answer.status_code == 403
    assert "/settings/privacy" not in browser.get("/settings").text


def test_the_page_says_what_to_do_and_what_is_not_reached(signed_in: Client) -> None:
    page = signed_in.get("/settings/privacy").text
    assert "None yet" in page
    assert "Backups" in page
    assert signed_in.get("/settings/privacy/erasures/1").status_code == 404


@pytest.mark.usefixtures("traces")
def test_the_command_asks_and_prints_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops.erasures.work.SETTLED", timedelta())
    monkeypatch.setattr("builtins.input", lambda prompt: "ann")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("erase_user", NAME)
    with pytest.raises(CommandError, match="exactly this name"):
        call_command("erase_user", "nobody")
    monkeypatch.setattr("builtins.input", lambda prompt: NAME)
    out = StringIO()
    call_command("erase_user", NAME, stdout=out)
    told = json.loads(out.getvalue())
    assert told["sums_before"] == told["sums_after"]
    assert told["sha256"] == Erasure.objects.get().digest
    assert dump().count("o'hara") == 1


def test_the_name_leaves_alerts_and_their_mails_keep_their_thread(at: datetime) -> None:
    usage.record([usage.event(at, user="u-1842")], now=timezone.now())
    channel("email", "cfo@example.org", at)
    facts = telling.facts(at, value="u-1842", dimension="user")
    held = telling.raised("budget-7-1:u-1842", at, facts=facts, title="u-1842 has spent $60.00")
    erasures.begin("u-1842", "ada", timezone.now())
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED + timedelta(seconds=5))
    held.refresh_from_db()
    assert "u-1842" not in f"{held.key} {held.thread} {held.title} {held.facts}"
    assert held.thread == f"budget-7-2026-10-01:{erasure.label}"
    assert Delivery.objects.get(alert=held).state == "waiting"
