"""The first visit, signing in and out."""

from __future__ import annotations

import re
import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

SETUP = {
    "username": "grace",
    "email": "",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


@pytest.mark.django_db
def test_the_first_visit_leads_to_set_up(client: Client) -> None:
    response = client.get("/", follow=True)
    assert response.redirect_chain[-1][0] == "/setup"
    assert "administrator" in response.text


@pytest.mark.django_db
def test_set_up_creates_the_administrator_and_signs_in(client: Client) -> None:
    response = client.post("/setup", SETUP)
    assert response.headers["Location"] == "/"
    grace = User.objects.get()
    assert (grace.username, grace.is_superuser, grace.is_active) == ("grace", True, True)
    assert client.get("/").status_code == 200


def errors_of(page: str) -> dict[str, str]:
    """The fields that have an error under them, and "" for the form as a whole."""
    found = {}
    for part in page.split('<div class="field">')[1:]:
        name = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', part)[0]
        if error := re.search(r'<ul class="errorlist"[^>]*>(.*?)</ul>', part, re.DOTALL):
            found[name] = re.sub(r"<[^>]+>", "", error[1]).strip()
    if alert := re.search(r'<div class="alert crit" role="alert">(.*?)</div>', page, re.DOTALL):
        found[""] = re.sub(r"<[^>]+>", "", alert[1]).strip()
    return found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entered", "wrong"),
    [
        ({"username": ""}, {"username": "required"}),
        ({"username": "a b"}, {"username": "valid username"}),
        ({"username": "x" * 151}, {"username": "at most 150"}),
        ({"username": "a\0b"}, {"username": "Null characters"}),
        ({"email": "nowhere"}, {"email": "valid email"}),
        ({"password1": "", "password2": ""}, {"password1": "required", "password2": "required"}),
        ({"password2": ""}, {"password2": "required"}),
        ({"password1": ""}, {"password1": "required"}),
        ({"password2": "something else"}, {"password2": "match"}),
        ({"password1": "short", "password2": "short"}, {"password1": "too short"}),
        ({"password1": "password1", "password2": "password1"}, {"password1": "too common"}),
        (
            {"username": "gracehopper", "password1": "gracehopper", "password2": "gracehopper"},
            {"password1": "too similar"},
        ),
    ],
)
def test_set_up_says_under_the_field_what_is_wrong_with_it_and_creates_nobody(
    client: Client, entered: dict[str, str], wrong: dict[str, str]
) -> None:
    response = client.post("/setup", SETUP | entered)
    assert response.status_code == 400
    errors = errors_of(response.text)
    assert errors.keys() == wrong.keys(), errors
    for field, words in wrong.items():
        assert words in errors[field]
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_name_in_another_unicode_form_signs_in_again(client: Client) -> None:
    client.post("/setup", SETUP | {"username": "zoe\u0308"})
    client.post("/sign-out")
    entered = {"username": "zo\u00eb", "password": SETUP["password1"]}
    assert client.post("/sign-in", entered).headers["Location"] == "/"


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize(
    ("entered", "wrong"),
    [
        ({"username": "ada", "password": "wrong"}, {"": "correct username and password"}),
        ({"username": "nobody", "password": "x"}, {"": "correct username and password"}),
        ({"username": "", "password": "x"}, {"username": "required"}),
        ({"username": "ada", "password": ""}, {"password": "required"}),
        ({}, {"username": "required", "password": "required"}),
        ({"username": "a\0", "password": "x"}, {"username": "Null characters"}),
    ],
)
def test_signing_in_says_under_the_field_what_is_wrong(
    client: Client, entered: dict[str, str], wrong: dict[str, str]
) -> None:
    errors = errors_of(client.post("/sign-in", entered).text)
    assert errors.keys() == wrong.keys(), errors
    for field, words in wrong.items():
        assert words in errors[field]
    assert client.get("/").status_code == 302


@pytest.mark.usefixtures("administrator")
def test_set_up_is_closed_once_anybody_has_an_account(client: Client) -> None:
    for response in (client.get("/setup"), client.post("/setup", SETUP)):
        assert response.headers["Location"] == "/sign-in"
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_first_visitors_one_becomes_the_administrator() -> None:
    ready = threading.Barrier(4)

    def visit(number: int) -> None:
        ready.wait(timeout=10)
        try:
            Client().post("/setup", SETUP | {"username": f"grace{number}"})
        finally:
            connection.close()

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(timeout=30)
    assert User.objects.count() == 1


@pytest.mark.usefixtures("administrator")
def test_signing_in_leads_back_to_where_one_wanted_to_go(client: Client) -> None:
    wanted = "/explore?group_by=team"
    response = client.get(wanted)
    assert response.headers["Location"] == "/sign-in?next=/explore%3Fgroup_by%3Dteam"
    entered = {"username": "ada", "password": "correct horse battery"}
    response = client.post(response.headers["Location"], entered)
    assert response.headers["Location"] == wanted


def test_an_inactive_account_cannot_sign_in(client: Client, administrator: User) -> None:
    administrator.is_active = False
    administrator.save()
    client.post("/sign-in", {"username": "ada", "password": "correct horse battery"})
    assert client.get("/").status_code == 302


@pytest.mark.usefixtures("administrator")
def test_signing_in_never_leads_to_another_host(client: Client) -> None:
    entered = {"username": "ada", "password": "correct horse battery"}
    response = client.post("/sign-in?next=https://example.org/", entered)
    assert response.headers["Location"] == "/"


def test_signing_out_takes_a_post(signed_in: Client) -> None:
    assert signed_in.get("/sign-out").status_code == 405
    assert signed_in.post("/sign-out").headers["Location"] == "/sign-in"
    assert signed_in.get("/").status_code == 302


@pytest.mark.usefixtures("administrator")
def test_a_fragment_for_a_session_that_ended_leaves_the_page(client: Client) -> None:
    """Otherwise the sign-in form would appear in the middle of it."""
    response = client.get("/explore", headers={"HX-Request": "true"}, follow=True)
    assert response.headers["HX-Redirect"] == "/sign-in?next=%2Fexplore"
