"""Rules as files: what is wrong by line and column, all or nothing, and what moves beforehand."""

from __future__ import annotations

import io
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from finops import costs
from finops.csv_lines import NotReadable
from finops.models import ActivatedTag, CostCenter, OwnershipRule
from finops.organisation.stored import Act
from finops.ownership import files, imports
from finops.ownership.conditions import Days
from finops.ownership.files import FileRule
from finops.query import CostQuery
from tests import figures, ownership, usage

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
CENTERS = {"CC-1": True, "CC-2": True, "old": False}


def read(text: str | bytes, **more: Any) -> files.Read:
    body = text if isinstance(text, bytes) else text.encode()
    return files.read(io.BytesIO(body), CENTERS, {"customer"}, dict, **more)


def test_a_line_is_a_rule_and_what_is_empty_is_no_condition() -> None:
    found = read(
        "team,tag:customer,cost_center,effective_from\r\n"
        'cx,,CC-1,2026-10-01\r\n"a, b",acme,CC-2,\r\n,,,\r\n'
    )
    assert not found.problems
    assert found.rules == [
        FileRule(2, {"team": "cx"}, "CC-1", Days(date(2026, 10, 1))),
        FileRule(3, {"team": "a, b", "tag:customer": "acme"}, "CC-2", Days()),
    ]


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("cx,,,", "cost_center", "is empty"),
        ("cx,,CC-9,", "cost_center", "there is no cost center 'CC-9'"),
        ("cx,,old,", "cost_center", "not in use"),
        ("cx,,CC-1,1.10.2026", "effective_from", "is no day"),
        (",,CC-1,", "conditions", "at least one value"),
        ("cx,ann,CC-1,", "user", "nothing else"),
        ("cx,,CC-1,,more", "columns", "more cells"),
        ("x" * 201 + ",,CC-1,", "team", "at most 200"),
    ],
    ids=["empty", "unknown", "unused", "day", "no condition", "user", "cells", "long"],
)
def test_what_is_wrong_is_named_by_line_and_column(line: str, field: str, said: str) -> None:
    found = read(f"team,user,cost_center,effective_from\nhr,,CC-2,\n{line}\n")
    [problem] = found.problems
    assert (problem.line, problem.field) == (3, field)
    assert said in problem.message


def test_lines_that_ask_for_the_same_on_one_day_are_named_both() -> None:
    found = read(
        "team,cost_center,effective_from,effective_to\n"
        "cx,CC-1,,\nhr,CC-1,,2026-10-01\nhr,CC-2,2026-10-01,\ncx,CC-2,2026-10-01,\n"
    )
    [problem] = found.problems
    assert str(problem) == (
        "Line 5, conditions: asks for the same as line 2, which holds always; "
        "this one holds from 2026-10-01 on."
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"team\ncx\n",
        b"cost_center,team,team\n",
        b"cost_center\n\xff\xfe\xfa",
        b'cost_center\n"a',
    ],
    ids=["nothing", "no center", "twice", "no text", "open quote"],
)
def test_a_file_that_is_none_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(NotReadable):
        read(body)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(("team", "feature", "tag:customer")),
            st.text(
                st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=9
            ),
            min_size=1,
        ),
        max_size=5,
        unique_by=lambda each: tuple(sorted(each.items())),
    )
)
def test_what_is_written_is_read_and_no_cell_runs(conditions: list[dict[str, str]]) -> None:
    rules = [OwnershipRule(conditions=each, cost_center="CC-1") for each in conditions]
    text = "".join(files.written(rules, ["team", "feature", "tag:customer"]))
    found = read(text)
    assert [each.conditions for each in found.rules] == conditions
    assert not any(line.startswith(("=", "+", "-", "@")) for line in text.split("\r\n"))


def test_a_hundred_thousand_lines_are_read_in_seconds() -> None:
    lines = (f"team-{n},feature-{n % 7},CC-{n % 2 + 1},2026-10-01\n" for n in range(100_000))
    begun = time.process_time()
    found = read("team,feature,cost_center,effective_from\n" + "".join(lines))
    assert (len(found.rules), found.problem_count) == (100_000, 0)
    assert time.process_time() - begun < 10


@pytest.fixture
def act(administrator: User) -> Act:
    ownership.make_centers("CC-1", "CC-2")
    ActivatedTag.objects.create(key="customer")
    return Act(administrator, NOW)


@pytest.mark.django_db
def test_a_preview_says_what_moves_and_changes_nothing(act: Act) -> None:
    figures.price_models()
    usage.record([usage.event(NOW, team=team) for team in ("cx", "cx", "hr")], now=NOW)
    ownership.a_rule({"team": "hr"}, "CC-1")
    body = b"team,cost_center\ncx,CC-2\nhr,CC-1\n"
    found = imports.read_file(io.BytesIO(body))
    seen = imports.preview(found, NOW, settings.REPORTING_ZONE)
    total = costs.run(query()).totals["effective_cost"]
    assert isinstance(total, Decimal)
    one = total / 3
    assert (seen.added, seen.removed, seen.kept) == (1, 0, 1)
    assert {each.cost_center: (each.before, each.after) for each in seen.moved} == {
        "CC-1": (one, one),
        "CC-2": (Decimal(0), 2 * one),
        "Unattributed": (2 * one, Decimal(0)),
    }
    assert seen.amount == 2 * one
    assert OwnershipRule.objects.count() == 1
    assert imports.apply(found, act) == 2
    rows = costs.run(query(group_by=("cost_center",))).rows
    assert {row.keys[0]: row.values["effective_cost"] for row in rows} == {
        "CC-1": one,
        "CC-2": 2 * one,
    }


def query(**changes: Any) -> CostQuery:
    asked = CostQuery.from_params({}, now=NOW, zone=settings.REPORTING_ZONE)
    return asked.replace(granularity="total", **changes)


@pytest.mark.django_db
def test_a_file_is_looked_at_on_the_page_and_then_applied(signed_in: Client, act: Act) -> None:
    text = "team,tag:customer,cost_center\ncx,acme,CC-2\nhr,,CC-1\n"

    def upload(body: str) -> Any:
        file = SimpleUploadedFile("rules.csv", body.encode(), "text/csv")
        return signed_in.post("/settings/ownership/import", {"file": file})

    wrong = upload("team,cost_center\ncx,CC-9\n")
    assert wrong.status_code == 400
    assert "there is no cost center" in wrong.text
    looked = upload(text)
    assert "2 rules new, 0 gone, 0 as they were" in looked.text
    assert not OwnershipRule.objects.exists()
    applied = signed_in.post("/settings/ownership/import", {"apply": "1"}, follow=True)
    assert "There are 2 rules now." in applied.text
    exported = signed_in.get("/settings/ownership/rules.csv").getvalue().decode()
    assert exported == (
        "team,tag:customer,cost_center,effective_from,effective_to\r\n"
        "cx,acme,CC-2,,\r\nhr,,CC-1,,\r\n"
    )
    again = signed_in.post("/settings/ownership/import", {"apply": "1"})
    assert "choose it again" in again.text


@pytest.mark.django_db
def test_the_api_takes_the_file_that_it_gives(signed_in: Client, act: Act) -> None:
    address = "/api/v1/ownership/rules.csv"
    body = "user,cost_center,effective_to\r\nann,CC-1,2026-11-01\r\n"
    only = signed_in.put(f"{address}?preview=1", body, content_type="text/csv")
    assert only.json()["preview"]["added"] == 1
    assert not OwnershipRule.objects.exists()
    assert signed_in.put(address, body, content_type="text/csv").json()["rules"] == 1
    given = signed_in.get(address).getvalue().decode()
    assert given == "user,cost_center,effective_from,effective_to\r\nann,CC-1,,2026-11-01\r\n"
    wrong = signed_in.put(address, "user,cost_center\nann,CC-9\n", content_type="text/csv")
    assert wrong.status_code == 400
    assert "Line 2, cost_center" in wrong.text
    assert CostCenter.objects.count() == 2
