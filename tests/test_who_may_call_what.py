"""Every address, with every method, as every reader: who may, who may not, and how it is said."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
import secret_team
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from who_may_call import FILES, METHODS, READERS, SAFE, TABLE, Row

from finops import health, probes

pytestmark = pytest.mark.django_db


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[str]:
    """Every address that the product answers, as urls.py writes it."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, before + str(each.pattern))
        else:
            yield before + str(each.pattern)


def test_every_address_has_a_row_in_the_table() -> None:
    missing = sorted(set(routes()) - set(TABLE))
    assert not missing, (
        f"{missing}: add each to TABLE in tests/who_may_call.py, saying who may call it with what."
    )
    assert not set(TABLE) - set(routes()), "remove what is no address any more"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ingest process runs, which the test event would wait for; nor a worker, of which nobody
    has heard for long when a busy machine has come to /readyz."""
    monkeypatch.setattr(probes, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(health, "WORKER_SILENT", timedelta(hours=1))
    monkeypatch.setattr(health, "LAG_LIMIT", timedelta(hours=1))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Every refusal is logged, and there are thousands."""
    for name in ("django.request", "finops", "allauth"):
        caplog.set_level(logging.CRITICAL, name)


def answer(client: Client, method: str, path: str) -> tuple[HttpResponse, str]:
    """What is answered, and its body; whatever it changed is undone."""
    held = SimpleCookie(client.cookies.output(header="", sep=";"))
    with transaction.atomic():
        response: HttpResponse = client.generic(method, path)
        body = response.getvalue().decode(errors="replace")  # a workbook is no text
        transaction.set_rollback(True)
    client.cookies = held
    return response, body


def expected(row: Row, who: str, method: str) -> str:
    if not row.may(who, method):
        return "sign in" if who == "N" else "403"
    if method not in row.methods.split() and who not in row.away:
        return "405"
    return "404" if who in row.hidden and method != "OPTIONS" else "done"


def told(response: HttpResponse, row: Row, who: str, method: str) -> str:
    """In the words of `expected`."""
    status = response.status_code
    location = response.headers.get("Location", "")
    is_form = method not in {"GET", "HEAD"} and status in {200, 204, 302, 400}
    if location.startswith("/sign-in?next="):
        return "sign in"
    if (status == 302) if who in row.away else (status == row.got or is_form):
        return "done"
    return "sign in" if status == 401 else str(status)


def methods(row: Row, who: str) -> Iterable[str]:
    """All as an administrator, whom nothing is forbidden, and as nobody. What an address refuses
    the one with 405 it takes of no other reader: they try one such method beside those it takes."""
    if who in "AN":
        return METHODS
    taken = row.methods.split()
    refused = [method for method in METHODS if method not in taken and method not in SAFE]
    return [method for method in METHODS if method in {"GET", *taken, *refused[-1:]}]


@pytest.mark.parametrize("who", READERS)
def test_each_reader_may_do_what_the_table_says_and_nothing_else(who: str) -> None:
    now = datetime.now(UTC)
    client = secret_team.readers()[who]
    ids = secret_team.other_team(now) | secret_team.secret_team(now)
    wrong = []
    for route, row in {**TABLE, **FILES}.items():
        path = row.path.format(**ids)
        for method in methods(row, who):
            response, body = answer(client, method, path)
            found, due = told(response, row, who, method), expected(row, who, method)
            if found != due:
                wrong.append(f"{method} /{route}: {found} and not {due}")
            if method == "GET" and who in row.shows and secret_team.MARK not in body:
                wrong.append(f"GET /{route} does not show the team")
            if who in "OVN" and (leak := leaked(response, body, path)):
                wrong.append(f"{method} /{route} tells {leak!r}")
    assert not wrong, f"{READERS[who]}:\n" + "\n".join(wrong)


def leaked(response: HttpResponse, body: str, path: str) -> str:
    """What of the secret team is in the answer, but for the address that was asked for."""
    text = "\n".join([*(f"{name}: {value}" for name, value in response.items()), body])
    text = text.replace(path, "")
    found = re.search(secret_team.MARK, text, re.IGNORECASE) or secret_team.FIGURES.search(text)
    return text[max(found.start() - 60, 0) : found.end() + 40] if found else ""
