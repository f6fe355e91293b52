"""Users, one user, and limits: pages and API say the same, of what their reader may see."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.http import urlencode

from finops import name_hashing
from finops.models import Account, Role, Team, TeamMember
from tests import usage
from tests.page_texts import price_gpt_4o, rows_of, text_of
from tests.rollup_sums import settle

pytestmark = pytest.mark.django_db
ODD = "a/b & <i>c</i> ..?#%2F\u00e9"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def figures(now: datetime) -> None:
    price_gpt_4o()
    events = [
        usage.event(now - timedelta(days=n % 9, hours=1), user=name, team=team, feature=team)
        for name, team, count in (
            *(("ann", "search", 20), ("bob", "search", 3), ("cyd", "ads", 2), (ODD, "ads", 1)),
            ("", "ads", 4),
        )
        for n in range(count)
    ]
    events.append(usage.event(now - timedelta(hours=2), user="zoe", model="mystery-1"))
    usage.record(events, now=now)
    settle()


@pytest.mark.usefixtures("figures")
def test_the_page_lists_users_and_never_nobody_as_one(signed_in: Client) -> None:
    page = signed_in.get("/users").text
    rows = rows_of(page)
    assert [row[0].split()[1] for row in rows[:3]] == ["ann", "bob", "cyd"]
    assert "zoe" in rows[-1][0]
    assert "1 unpriced" in rows[-1][0]
    text = text_of(page)
    assert "Unattributed" in text
    assert "Users 5" in text
    assert "1 with no known cost" in text
    assert "The top 20 % of users make 76.9" in text.replace("\xa0", " ")


@pytest.mark.usefixtures("figures")
def test_the_api_says_what_the_page_says(signed_in: Client) -> None:
    found = signed_in.get("/api/v1/users/concentration").json()
    assert (found["users"], found["users_without_known_cost"]) == (4, 1)
    assert found["top"][2]["users"] == 1
    assert Decimal(found["top"][2]["share"]).quantize(Decimal("0.001")) == Decimal("0.769")
    listed = signed_in.get("/api/v1/users?limit=2").json()
    assert [each["user"] for each in listed["users"]] == ["ann", "bob"]
    after = signed_in.get(f"/api/v1/users?limit=1000&cursor={listed['next_cursor']}").json()
    assert [each["user"] for each in after["users"]] == ["cyd", ODD, "zoe"]
    assert after["users"][-1]["effective_cost"] is None
    assert [each["name"] for each in after["nobody"]] == ["Unattributed"]
    costs = signed_in.get("/api/v1/costs?group_by=user&granularity=total").json()
    assert {row["user"]: row["effective_cost"] for row in costs["rows"]} == {
        **{each["user"]: each["effective_cost"] for each in (*listed["users"], *after["users"])},
        "Unattributed": after["nobody"][0]["effective_cost"],
    }


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("name", ["ann", ODD, "zoe"])
def test_each_user_has_a_page_whatever_the_name(signed_in: Client, name: str) -> None:
    page = signed_in.get(f"/users/profile?{urlencode({'user': name})}")
    assert page.status_code == 200
    assert "What is unusual" in page.text
    assert "<i>c" not in page.text
    quoted = urlencode({"": name})[1:].replace("+", "%20")
    answer = signed_in.get(f"/api/v1/users/{quoted}").json()
    assert answer["user"] == name
    assert sum(Decimal(each["effective_cost"]) for each in answer["days"]) == Decimal(
        answer["effective_cost"] or 0
    )


@pytest.mark.usefixtures("figures")
def test_who_is_nobody_has_no_page(signed_in: Client) -> None:
    assert signed_in.get("/users/profile").status_code == 400
    assert signed_in.get("/users/profile?user=Unattributed").status_code == 400
    assert signed_in.get("/users/profile?user=ann&user=bob").status_code == 400
    assert signed_in.get("/users/profile?user=stranger").status_code == 200
    assert signed_in.get("/api/v1/users/stranger").status_code == 404
    assert signed_in.get("/api/v1/users/!ann").status_code == 400


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "/users?after=x",
            "/users?after=-1",
            "/users/limits?amount=-3",
            "/users/limits?span=year",
        ),
        *("/users/limits?amount=nan", "/api/v1/users?limit=0", "/api/v1/users?cursor=x"),
        *("/api/v1/users/limits?amount=1e-20", "/api/v1/users?group_by=team", "/users?period=x"),
        *("/api/v1/users/limits?span=week", "/users.csv?limit=3"),
    ],
)
def test_what_cannot_be_asked_is_said(signed_in: Client, wrong: str) -> None:
    assert signed_in.get(wrong).status_code == 400


@pytest.mark.usefixtures("figures")
def test_the_csv_has_everybody(signed_in: Client) -> None:
    text = signed_in.get("/users.csv").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["user"] for row in rows] == ["ann", "bob", "cyd", ODD, "zoe", "Unattributed"]
    assert rows[3]["cumulated_share"] == "1"
    assert (rows[4]["effective_cost"], rows[5]["place"]) == ("", "")


@pytest.mark.usefixtures("figures")
def test_a_limit_becomes_a_budget_for_each_user(signed_in: Client) -> None:
    page = signed_in.get("/users/limits?team=search&amount=0.004").text
    assert "yours" in page
    assert "proposed" in page
    assert "Usage is recorded since" in page
    href = re.findall(r'href="(/budgets/new[^"]+)"', page)[0].replace("&amp;", "&")
    form = signed_in.get(href).text
    assert 'value="search"' in form
    assert re.search(r'<option value="user"\s+selected', form)


@pytest.mark.usefixtures("figures")
def test_a_hashed_user_is_found_by_the_name_in_the_clear(signed_in: Client, now: datetime) -> None:
    assert name_hashing.turn_on("ada", now)
    for step in range(3):
        name_hashing.convert(now + step * name_hashing.SETTLED)
    page = signed_in.get("/users/profile?user=ann").text
    [stored] = re.findall(r"Stored as <code>(u_[0-9a-f]{24})</code>", page)
    assert signed_in.get("/api/v1/users/ann").json()["user"] == stored
    [found] = signed_in.get("/api/v1/users?q=ann").json()["users"]
    assert (found["user"], found["place"]) == (stored, 1)
    assert ">ann<" not in signed_in.get("/users").text


@pytest.mark.usefixtures("figures")
def test_a_reader_of_one_team_sees_its_users_only(client: Client) -> None:
    viewer = User.objects.create_user("vic")
    Account.objects.create(user=viewer, role=Role.VIEWER)
    TeamMember.objects.create(user=viewer, team=Team.objects.create(name="ads"))
    client.force_login(viewer)
    found = client.get("/api/v1/users").json()
    assert [each["user"] for each in found["users"]] == ["cyd", ODD]
    assert client.get("/api/v1/users/ann").status_code == 404
    assert client.get("/api/v1/users/ann?team=search").status_code == 404
    for path in ("/users", "/users/limits", "/users.csv", "/users?q=ann&team=search"):
        assert ">ann<" not in client.get(path).getvalue().decode()
    assert "No usage in" in text_of(client.get("/users/profile?user=ann").text)
