"""A filter by a value that no usage has is most often a slip of the pen: it is said wherever the
budget is made and shown, with what may have been meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from budget_desk import made, of_team, tried
from desks import reader
from django.test import Client

from finops import budgets
from finops.query import parse_filters
from tests import usage

pytestmark = pytest.mark.django_db

SAID = "No usage so far has the team “suport”, so nothing is counted by it."
MEANT = "Did you mean support?"


@pytest.fixture(autouse=True)
def support() -> None:
    now = datetime.now(UTC)
    usage.record([usage.event(now, team="support", user="u-1", feature="answers")], now=now)


def test_the_form_asks_what_was_meant_before_it_is_saved() -> None:
    finance = reader("finance")
    page = tried(finance, of_team("suport")).text
    assert f"{SAID} {MEANT}" in page
    assert "No usage so far" not in tried(finance, of_team("support")).text


def test_its_page_and_the_list_say_that_it_counts_nothing() -> None:
    finance = reader("finance")
    budget = made(finance, of_team("suport"))
    assert f"{SAID} {MEANT}" in finance.get(f"/budgets/{budget.pk}").text
    assert "unknown team" in finance.get("/budgets").text
    member = reader("viewer", "suport").get(f"/budgets/{budget.pk}").text
    assert SAID in member
    assert "support?" not in member, "the names of other teams are not for everybody"


def test_the_api_warns_whoever_makes_changes_or_reads_it(signed_in: Client) -> None:
    terms = {"name": "S", "period": "monthly", "amount": "1", "filters": {"team": ["suport"]}}
    answer = signed_in.post("/api/v1/budgets", terms, content_type="application/json")
    assert answer.status_code == 201
    assert answer.json()["warnings"] == [f"{SAID} {MEANT}"]
    path = f"/api/v1/budgets/{answer.json()['id']}"
    assert signed_in.get(path).json()["warnings"] == [f"{SAID} {MEANT}"]
    changed = json.dumps({"filters": {"team": ["support"]}})
    mended = signed_in.patch(path, changed, content_type="application/json")
    assert mended.json()["warnings"] == []


@pytest.mark.parametrize(
    ("filters", "missing"),
    [
        ({"team": ["support", "Unattributed"]}, []),
        ({"user": ["u-1"]}, []),
        ({"user": ["u-2"]}, ["u-2"]),
        ({"feature": ["!answer"]}, ["answer"]),
        ({"team": ["support", "other"], "model": ["gpt-9"]}, ["gpt-9", "other"]),
        ({"cost_center": ["R&D"]}, ["R&D"]),
        ({}, []),
    ],
    ids=str,
)
def test_values_are_missed_by_dimension(filters: dict[str, Any], missing: list[str]) -> None:
    [found] = budgets.unused(parse_filters(filters))
    assert sorted(each.value for each in found) == missing


def test_what_is_left_out_by_a_slip_of_the_pen_is_told_too() -> None:
    [[found]] = budgets.unused(parse_filters({"feature": ["!Answer"]}))
    assert found.said(with_near=True) == (
        "No usage so far has the feature “Answer”, so nothing is left out by it. "
        "Did you mean answers?"
    )
