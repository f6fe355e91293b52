"""No page of another site can send a form in the name of whoever is signed in here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from finops import api_tokens

pytestmark = pytest.mark.django_db

# In place of what an address has between < and >, or of a regular expression's groups.
EXAMPLES = {"int": "1", "uuid": "01234567-89ab-4cde-8f01-23456789abcd"}
WRITING = ("post", "put", "patch", "delete")


def addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, before + str(each.pattern))
        else:
            yield before + example(str(each.pattern))


def example(pattern: str) -> str:
    plain = re.sub(r"\(\?P<\w+>[^()]*\)", "x", pattern).strip("^$").removesuffix("\\Z")
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES.get(found[1], "x"), plain)


@pytest.fixture
def browser(administrator: User) -> Client:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(administrator)
    return browser


def test_nothing_is_written_without_the_token_of_a_page(browser: Client) -> None:
    asked = sorted(set(addresses(get_resolver().url_patterns)))
    assert {"/keys/x/revoke", "/password/new/x-x", "/people/1", "/api/v1/costs"} <= set(asked)
    # Where nothing is, and where the link of a mail is the right to it (RFC 8058).
    for address in set(asked) - {"/api/x", "/unsubscribe/x"}:
        for method in WRITING:
            answer = getattr(browser, method)(address)
            takes_nothing = answer.status_code in {405, 415}
            is_refused = answer.status_code == 403 and "CSRF" in answer.text
            assert takes_nothing or is_refused, (method, address)


def test_a_page_that_has_waited_too_long_says_so(browser: Client) -> None:
    page = browser.post("/keys/new", {"service": "gateway"}).text
    assert "This form could not be sent" in page
    assert "style" not in page.replace("stylesheet", "")


def test_another_site_is_refused_even_with_a_token(browser: Client) -> None:
    browser.get("/keys/new")
    token = browser.cookies["csrftoken"].value
    form = {"service": "gateway", "csrfmiddlewaretoken": token}
    away = {"origin": "https://elsewhere.example"}
    assert browser.post("/keys/new", form, headers=away).status_code == 403
    assert browser.post("/keys/new", form).status_code == 200


def test_a_token_of_the_api_needs_none(administrator: User) -> None:
    token = api_tokens.create_token(administrator, by=administrator, now=datetime.now(UTC))
    bearer = {"Authorization": f"Bearer {token}"}
    answer = Client(enforce_csrf_checks=True).post("/api/v1/costs", headers=bearer)
    assert answer.status_code == 405


def test_cookies_are_not_sent_along_from_other_sites(client: Client, administrator: User) -> None:
    form = {"username": "ada", "password": "correct horse battery"}
    client.get("/sign-in")
    assert client.post("/sign-in", form).status_code == 302
    assert client.cookies["sessionid"]["httponly"]
    for name in ("sessionid", "csrftoken"):
        assert client.cookies[name]["samesite"] == "Lax"
