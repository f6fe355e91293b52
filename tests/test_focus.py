"""A month as FOCUS CSV: its rules, its sums, and that a closed month's file stays as it is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from finops import cost_items, ledger, rollups
from finops.allocation import add_up
from finops.books import closing
from finops.focus.columns import FOCUS_1_2, FOCUS_1_3, NAMES, OWN
from finops.focus.metadata import SCHEMA_ID
from finops.models import Account, CostItem, Price, Role, Team, TeamMember
from finops.organisation.stored import Act
from tests import figures, operating, ownership, usage
from tests.focus_files import assert_sums, focus, get, rows_of

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
START = datetime(2026, 10, 1, tzinfo=UTC)
LATER = datetime(2026, 12, 3, 12, tzinfo=UTC)
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
D = Decimal
ZONE = settings.REPORTING_ZONE

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(administrator: User) -> Act:
    """Usage of two months at prices of a contract, and every kind of cost item."""
    figures.price_models()
    own_price = {"gpu_second_price": "0.001", "text_output_price": "0.0000001"}
    Price.objects.create(kind="self_hosted", fleet="=h100", source="tests", **own_price)
    ownership.make_centers("CC-1", "=CC-2")
    Team.objects.create(name="cx", cost_center="CC-1")
    Team.objects.create(name="ads", cost_center="=CC-2")
    usage.record(figures.random_events(7, 80, START, START + timedelta(days=60)), now=LATER)
    own = usage.event(
        START + timedelta(days=2), team="cx", fleet="=h100", region="eu", service="-bot",
        environment="production", service_tier="batch", gpu_seconds=12.5, input_tokens=0,
    )  # fmt: skip
    usage.record([own], now=LATER)
    act = Act(administrator, LATER)
    for terms in items():
        cost_items.make(cost_items.read({"effective_from": "2026-10-01", **terms}), act)
    return act


def items() -> list[dict[str, Any]]:
    ptu = {"capacity_unit": "tokens", "capacity_per_hour": "1000", "hour_price": "0.01"}
    gpus = [{"day": "2026-10-01", "count": "1", "hour_price": "0.5"}]
    return [
        {"kind": "fixed", "name": "=Seats", "amount": "310.01", "measure": "requests"},
        {
            "kind": "overhead", "name": "Overhead", "percent": "12.5", "percent_of": "so_far",
            "method": "even",
        },
        {"kind": "commitment", "name": "PTU", "filters": {"team": ["cx"]}, **ptu},
        {"kind": "fleet", "name": "=h100", "sizes": gpus},
        {"kind": "credit", "name": "Credit", "amount": "20", "measure": "tokens"},
        {
            "kind": "tax", "name": "VAT", "percent": "19", "percent_of": "so_far",
            "method": "fixed", "weights": {"CC-1": "33.3"},
        },
        {"kind": "true_up", "name": "True-up", "amount": "-1.23", "method": "weighted",
         "weights": {"CC-1": "1", "=CC-2": "2"}},
    ]  # fmt: skip


def test_the_header_has_the_columns_of_the_specification_then_our_own(
    signed_in: Client,
) -> None:
    [header] = get(signed_in, "2026-10.focus.csv").splitlines()
    assert header == ",".join(NAMES)
    assert len(set(NAMES)) == len(NAMES) == len(FOCUS_1_2) + len(FOCUS_1_3) + len(OWN)
    own = [name.startswith("x_") for name in NAMES]
    assert own == sorted(own)


def test_every_row_keeps_the_rules_and_they_come_to_the_allocation(
    signed_in: Client, books: Act
) -> None:
    rows = focus(signed_in, "2026-10")
    assert_sums(signed_in, "2026-10", rows)
    direct = [row for row in rows if row["x_AllocationColumn"] == "direct_cost"]
    assert all(row["x_PriceLine"] for row in direct)
    assert any(D(row["ListCost"]) > D(row["ContractedCost"]) for row in direct)
    assert {row["SkuMeter"] for row in direct} >= {
        "Input Tokens", "Cached Input Tokens", "Output Tokens", "Reasoning Output Tokens",
    }  # fmt: skip
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Adjustment", "Credit", "Tax"}
    assert {row["CommitmentDiscountStatus"] for row in rows} == {"", "Used", "Unused"}


def test_shares_say_how_they_were_split_and_ratios_of_a_charge_add_up_to_one(
    signed_in: Client, books: Act
) -> None:
    rows = focus(signed_in, "2026-10")
    seats = [row for row in rows if row["x_CostItem"] == "'=Seats"]
    elements = [json.loads(row["AllocatedMethodDetails"])["Elements"][0] for row in seats
                if row["AllocatedMethodId"]]  # fmt: skip
    assert {row["AllocatedMethodId"] for row in seats} == {"proportional:requests", ""}
    assert {each["UsageUnit"] for each in elements} == {"Requests"}
    even = [row for row in rows if row["x_CostItem"] == "Overhead"]
    ratios = [
        json.loads(row["AllocatedMethodDetails"], parse_float=D)["Elements"][0] for row in even
    ]
    assert add_up(each["AllocatedRatio"] for each in ratios) == 1
    assert {row["AllocatedResourceId"] for row in even} == {"CC-1", "'=CC-2"}


def test_names_that_a_spreadsheet_would_run_are_text(signed_in: Client, books: Act) -> None:
    rows = focus(signed_in, "2026-10")
    cells = {value for row in rows for value in row.values()}
    assert {"'=CC-2", "'=h100", "'=Seats", "'-bot"} <= cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    [own] = [row for row in rows if row["x_Fleet"] and row["SkuMeter"] == "GPU Time"]
    assert (own["PricingQuantity"], own["PricingUnit"]) == ("12.5", "GPU-Seconds")
    assert json.loads(own["Tags"])["service"] == "-bot"
    assert (own["RegionId"], own["x_ServiceTier"]) == ("eu", "batch")


def test_the_metadata_says_what_the_file_is_and_what_is_not_in_it(
    signed_in: Client, books: Act
) -> None:
    rows = focus(signed_in, "2026-10")
    found = signed_in.get("/api/v1/allocations/2026-10.focus.json").json()
    assert found["Schema"]["SchemaId"] == SCHEMA_ID
    assert [each["ColumnName"] for each in found["Schema"]["ColumnDefinition"]] == list(NAMES)
    assert found["Schema"]["FocusVersion"] == "1.2"
    assert found["x_UnpricedRequests"] > 0
    assert D(found["x_EffectiveCost"]) == add_up(D(row["EffectiveCost"]) for row in rows)


def change_everything() -> None:
    """Late usage, another price for what October was rated with, and other cost items."""
    usage.record([usage.event(START + timedelta(days=20), team="new")], now=LATER)
    buckets = ("uncached_input", "cache_read_input", "text_output", "reasoning_output")
    prices = {f"{each}_price": "0.00001" for each in buckets}
    terms = {"kind": "contract", "provider": "openai", "model": "*", **prices}
    ledger.add(terms, author="ada", zone=UTC)
    operating.rerate(START, START + timedelta(days=31), ZONE)
    rollups.fold_waiting(LATER, ZONE)


def test_a_closed_months_file_stays_and_the_next_one_has_the_corrections(
    signed_in: Client, books: Act
) -> None:
    before = focus(signed_in, "2026-10")
    closing.close(OCTOBER, Act(books.by, LATER), acknowledged=ALL)
    text = get(signed_in, "2026-10.focus.csv")
    closed = rows_of(text)
    states = {"x_Status": "closed", "x_StatementVersion": "1"}
    assert closed == [{**row, **states} for row in before]

    change_everything()
    CostItem.objects.filter(kind="fixed").update(name="Other", kind="credit")

    assert get(signed_in, "2026-10.focus.csv") == text
    assert_sums(signed_in, "2026-10", closed)
    november = focus(signed_in, "2026-11")
    assert_sums(signed_in, "2026-11", november)
    corrections = [row for row in november if row["ChargeClass"]]
    assert {row["x_CorrectedMonth"] for row in corrections} == {"2026-10"}
    assert {row["ChargePeriodStart"] for row in corrections} == {"2026-10-01T00:00:00Z"}
    assert {row["BillingPeriodStart"] for row in corrections} == {"2026-11-01T00:00:00Z"}


@pytest.mark.parametrize("is_closed", [False, True])
def test_days_whose_requests_are_gone_are_a_row_of_each_line(
    signed_in: Client, books: Act, is_closed: bool
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_event WHERE day < '2026-10-15'")
    if is_closed:
        closing.close(OCTOBER, Act(books.by, LATER), acknowledged=ALL)
    rows = focus(signed_in, "2026-10")
    assert_sums(signed_in, "2026-10", rows)
    gone = [row for row in rows if "not kept" in row["ChargeDescription"]]
    assert {row["PricingUnit"] for row in gone} == {"Statement Lines"}
    assert len(gone) < len([row for row in rows if row["x_PriceLine"]])


def test_who_sees_a_team_gets_its_rows_and_what_they_bear(signed_in: Client, books: Act) -> None:
    user = User.objects.create_user("mia", "mia@example.org", "correct horse battery")
    Account.objects.create(user=user, role=Role.ENGINEER)
    TeamMember.objects.create(user=user, team=Team.objects.get(name="cx"))
    browser = Client()
    browser.force_login(user)
    opened = focus(browser, "2026-10")
    closing.close(OCTOBER, Act(books.by, LATER), acknowledged=ALL)
    for rows in (opened, focus(browser, "2026-10")):
        assert_sums(browser, "2026-10", rows)
        assert {row["x_Team"] for row in rows} == {"cx"}
        assert not {row["x_CostItem"] for row in rows} - {""}


def test_rules_that_name_users_are_kept_to(signed_in: Client, books: Act) -> None:
    ownership.a_rule({"user": "ann"}, "CC-1")
    rows = focus(signed_in, "2026-10")
    assert_sums(signed_in, "2026-10", rows)
    assert any(row["x_CostCenter"] == "CC-1" and row["x_Team"] != "cx" for row in rows)
