"""The audit log: what is written to it, who reads it, and that nobody rewrites it."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client

from finops import audit
from finops.models import Account, AuditRecord, Role, Team, TeamMember
from tests import usage

pytestmark = pytest.mark.django_db

AT = datetime(2026, 10, 15, 12, 0, tzinfo=UTC)
ADDRESSES = ("/audit", "/audit.csv", "/audit.jsonl")


def person(name: str, role: Role, *teams: str) -> User:
    user = User.objects.create_user(name)
    Account.objects.create(user=user, role=role)
    for team in teams:
        TeamMember.objects.create(user=user, team=Team.objects.get_or_create(name=team)[0])
    return user


def write(action: str = "key.create", subject: str = "fk_1 (bot)", **more: object) -> AuditRecord:
    return audit.record(action, subject, **{"at": AT, "by": "ada", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.ADMINISTRATOR, 200), (Role.FINANCE, 200), (Role.ENGINEER, 403), (Role.VIEWER, 403)],
)
def test_administrators_and_finance_read_the_log(
    client: Client, path: str, role: Role, status: int
) -> None:
    write(team="hush")
    client.force_login(person("reader", role, "search"))
    response = client.get(path)
    assert response.status_code == status
    assert ("hush" in response.getvalue().decode()) == (status == 200)
    assert client.post(path).status_code == (405 if status == 200 else 403)


def test_nobody_is_shown_the_log(client: Client, administrator: User) -> None:
    assert client.get("/audit").headers["Location"].startswith("/sign-in")
    for path in ADDRESSES[1:]:
        assert client.get(path).status_code in {401, 403}


@pytest.mark.parametrize("path", ["/audit.csv", "/audit.jsonl"])
def test_a_token_takes_the_log_out_where_its_user_may(client: Client, path: str) -> None:
    tokens = {}
    for name, role in (("fin", Role.FINANCE), ("eng", Role.ENGINEER)):
        person(name, role)
        out = StringIO()
        call_command("create_api_token", name, stdout=out)
        tokens[name] = {"Authorization": f"Bearer {out.getvalue().strip()}"}
    assert client.get(path, headers=tokens["fin"]).status_code == 200
    assert client.get(path, headers=tokens["eng"]).status_code == 403


def test_a_record_says_what_changed(signed_in: Client) -> None:
    write(before={"role": "viewer", "active": True}, after={"role": "finance", "active": True},
          reason="moved to finance", address="192.0.2.7")  # fmt: skip
    page = signed_in.get("/audit").text
    assert "<del>viewer</del> <ins>finance</ins>" in page
    assert "active:" not in page
    assert "moved to finance" in page
    assert "192.0.2.7" in page


def test_the_log_is_read_page_by_page_and_nothing_is_skipped(signed_in: Client) -> None:
    for number in range(120):
        write(subject=f"<{number:03}>", at=AT + timedelta(seconds=number // 30))
    seen: list[str] = []
    address = "/audit"
    while address:
        response = signed_in.get(address)
        seen += [line.record.subject for line in response.context["lines"]]
        address = response.context.get("next_href", "")
    assert seen == [f"<{number:03}>" for number in range(119, -1, -1)]


def test_the_log_is_filtered_by_who_what_and_day(signed_in: Client) -> None:
    write("key.create", "one", by="ada")
    write("key.revoke", "two", by="bob")
    write("keyring.open", "three", by="bob", at=AT - timedelta(days=1))

    def subjects(query: str) -> list[str]:
        return [line.record.subject for line in signed_in.get(f"/audit?{query}").context["lines"]]

    assert subjects("actor=bob") == ["two", "three"]
    assert subjects("action=key.create") == ["one"]
    assert subjects("action=key") == ["two", "one"]
    assert subjects("day=2026-10-14") == ["three"]
    assert subjects("actor=bob&day=2026-10-15&action=key.revoke") == ["two"]
    lines = signed_in.get("/audit.jsonl?actor=bob&day=2026-10-15").getvalue().decode()
    assert [json.loads(line)["subject"] for line in lines.splitlines()] == ["two"]
    assert "No record matches" in signed_in.get("/audit?actor=nobody").text


@pytest.mark.parametrize(
    "query", ["day=yesterday", "day=9999-12-31", "cursor=x", "cursor=MjAyNiAx", "actor=%00"]
)
def test_a_wrong_question_says_which_part_is_wrong(signed_in: Client, query: str) -> None:
    write()
    response = signed_in.get(f"/audit?{query}")
    assert response.status_code == 400
    assert f"<code>{query.partition('=')[0]}</code>" in response.text
    if not query.startswith("cursor"):
        assert signed_in.get(f"/audit.csv?{query}").status_code == 400


def test_an_empty_log_says_what_will_be_in_it(signed_in: Client) -> None:
    assert "Nothing has been recorded yet" in signed_in.get("/audit").text


def test_the_csv_holds_every_record_and_no_formula(signed_in: Client) -> None:
    write(subject='=HYPERLINK("x")', team="+cmd", reason="@sum\nnext", after={"role": "=1"})
    for number in range(60):
        write(subject=str(number))
    text = signed_in.get("/audit.csv").getvalue().decode()
    rows = list(csv.DictReader(StringIO(text)))
    assert len(rows) == 61
    first = rows[-1]
    assert (first["subject"], first["team"]) == ('\'=HYPERLINK("x")', "'+cmd")
    assert first["reason"] == "'@sum\nnext"
    assert json.loads(first["after"]) == {"role": "=1"}
    assert first["at"] == "2026-10-15T12:00:00Z"


def test_no_record_is_changed_or_deleted() -> None:
    record = write()
    for act in (AuditRecord.objects.all().delete, record.save, record.delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
    assert AuditRecord.objects.get().subject == "fk_1 (bot)"


def test_commands_write_what_they_did(now: datetime) -> None:
    User.objects.create_user("ada")
    out = StringIO()
    call_command("create_ingest_key", "bot", "--team", "cx", stdout=out)
    call_command("create_api_token", "ada", stdout=out)
    call_command("revoke", "_".join(out.getvalue().split("_")[:2]), stdout=out)
    price = ("add_price", "kind=contract", "provider=openai", "discount_percent=5")
    call_command(*price, stdout=out)
    usage.record([usage.event(now)], now=now)
    call_command("rebuild_rollups", stdout=out)
    period = ("--start", "2026-10-01", "--end", "2026-10-20")
    call_command("rerate", *period, stdout=out)
    call_command("rerate", *period, "--apply", "--reason", "agreed", stdout=out)
    written = [(each.action, each.actor) for each in AuditRecord.objects.order_by("id")]
    assert written == [
        ("key.create", "manage.py create_ingest_key"),
        ("token.create", "manage.py create_api_token"),
        ("key.revoke", "manage.py revoke"),
        ("price.add", "manage.py add_price"),
        ("rollups.rebuild", "manage.py rebuild_rollups"),
        ("rating.rerate", "manage.py rerate"),
    ]
    made, *_, rerated = AuditRecord.objects.order_by("id")
    assert (made.team, made.after["service"]) == ("cx", "bot")
    assert (rerated.reason, "2026-10-01 00:00" in rerated.subject) == ("agreed", True)
    # Of every secret only the beginning, by which it is named.
    texts = str(list(AuditRecord.objects.values()))
    assert all(line not in texts for line in out.getvalue().splitlines()[:2])


def test_a_command_that_is_refused_writes_nothing() -> None:
    for command in (("revoke", "fk_nobody"), ("add_price", "kind=nothing")):
        with pytest.raises(CommandError):
            call_command(*command)
    assert not AuditRecord.objects.exists()
