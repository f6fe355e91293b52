"""What is paid beside requests: what may be written, and that closed months stay as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from finops import cost_items
from finops.cost_items import keeping
from finops.models import AuditRecord, CostItem
from finops.organisation.stored import Act
from tests import ownership

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
SEATS = {"name": "Seats", "kind": "fixed", "amount": "310", "effective_from": "2026-09-01"}
FLEET = {
    "name": "h100-eu",
    "kind": "fleet",
    "effective_from": "2026-09-01",
    "sizes": [{"day": "2026-09-01", "count": 2, "hour_price": "2.5"}],
}
PTU = {
    "name": "PTU",
    "kind": "commitment",
    "effective_from": "2026-09-01",
    "hour_price": "4",
    "capacity_unit": "tokens",
    "capacity_per_hour": "1000",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(administrator: User) -> Act:
    ownership.make_centers("CC-1", "CC-2")
    return Act(administrator, NOW)


def made(act: Act, terms: dict[str, Any], **more: Any) -> CostItem:
    return cost_items.make(cost_items.read({**terms, **more}), act)


def changed(item: CostItem, act: Act, **more: Any) -> CostItem:
    terms = {**cost_items.fields_of(cost_items.draft_of(item)), **more}
    return cost_items.change(item.pk, cost_items.read(terms), act)


@pytest.mark.parametrize(
    ("terms", "field", "said"),
    [
        ({**SEATS, "kind": "seats"}, "kind", "fixed, overhead"),
        ({**SEATS, "amount": None}, "amount", "more than 0"),
        ({**SEATS, "amount": "1e99"}, "amount", "less than"),
        ({**SEATS, "amount": "100.001"}, "amount", "whole cents"),
        ({**SEATS, "measure": "used"}, "measure", "commitment or a fleet"),
        ({**SEATS, "percent": "5"}, "percent", "no such field"),
        ({**SEATS, "colour": ""}, "colour", "no such field"),
        ({**SEATS, "name": "x" * 201}, "name", "200 characters"),
        ({**SEATS, "name": "a\x00"}, "name", "plain text"),
        ({**SEATS, "effective_from": ""}, "effective_from", "like 2026-10-01"),
        ({**SEATS, "effective_from": "2026-02-30"}, "effective_from", "like 2026-10-01"),
        ({**SEATS, "effective_to": "2026-09-01"}, "effective_to", "after the first day"),
        ({**SEATS, "method": "fixed", "weights": {"CC-1": 101}}, "weights", "101 percent"),
        ({**SEATS, "weights": {"CC-1": 1}}, "weights", "leave them out"),
        ({**SEATS, "method": "fixed", "weights": {"CC-1": -1}}, "weights", "not below 0"),
        ({**SEATS, "filters": {"tema": ["x"]}}, "filters", "no dimension"),
        ({**SEATS, "measure": "so_far", "filters": {"team": ["x"]}}, "filters", "scope out"),
        (
            {**SEATS, "measure": "so_far", "effective_from": "2026-09-02"},
            *("effective_from", "with a month"),
        ),
        ({"name": "x", "kind": "tax", "effective_from": "2026-09-01"}, "amount", "either"),
        ({**PTU, "hour_price": ""}, "amount", "price per hour"),
        ({**PTU, "amount": "5"}, "term_end", "first day and its end"),
        ({**PTU, "capacity_per_hour": ""}, "capacity_per_hour", "how much"),
        ({**PTU, "filters": {"user": ["ann"]}}, "filters", "by the hour"),
        ({**FLEET, "sizes": []}, "sizes", "how many GPUs"),
        ({**FLEET, "sizes": [{"day": "x"}]}, "sizes.0", "Write a day"),
        ({**FLEET, "sizes": [7]}, "sizes.0", "A size has"),
        ({**FLEET, "sizes": FLEET["sizes"] * 2}, "sizes", "two sizes"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    terms: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        cost_items.read(terms)
    assert said in refused.value.message_dict[field][0]


@pytest.mark.parametrize("terms", [SEATS, FLEET, PTU])
def test_what_is_written_reads_back_as_it_was(terms: dict[str, Any], act: Act) -> None:
    terms = {**terms, "method": "fixed", "weights": {"CC-1": "60.5"}, "filters": {"team": ["!x"]}}
    draft = cost_items.read(terms)
    row = CostItem.objects.get(pk=cost_items.make(draft, act).pk)
    assert cost_items.draft_of(row) == draft
    assert cost_items.read(cost_items.fields_of(draft)) == draft


def test_only_cost_centers_and_tags_that_exist_are_named(act: Act) -> None:
    with pytest.raises(ValidationError) as refused:
        made(act, SEATS, targets=["CC-9"], fallback="CC-8", filters={"tag:plan": ["pro"]})
    assert set(refused.value.message_dict) == {"targets", "fallback", "filters"}


def test_every_act_is_on_record(act: Act) -> None:
    first, second = made(act, SEATS), made(act, SEATS, name="Platform")
    changed(first, act, amount="400")
    cost_items.move(second.pk, 1, act)
    cost_items.end(first.pk, date(2026, 12, 1), act)
    cost_items.end(second.pk, date(2026, 9, 1), act)
    assert [row.name for row in cost_items.every()] == ["Seats"]
    records = AuditRecord.objects.order_by("pk").values_list("action", "subject", "after")
    assert [(what, which) for what, which, _ in records] == [
        ("cost_item.create", "Seats"),
        ("cost_item.create", "Platform"),
        ("cost_item.change", "Seats"),
        ("cost_item.move", "Platform"),
        ("cost_item.end", "Seats"),
        ("cost_item.remove", "Platform"),
    ]
    assert records[2][2] == {"amount": "400"}


def test_a_change_of_what_closed_months_hold_goes_on_as_another_row(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, later = made(act, SEATS), made(act, SEATS, name="Other")
    monkeypatch.setattr(keeping, "open_from", lambda: date(2026, 10, 1))
    follower = changed(item, act, amount="500")
    item.refresh_from_db()
    assert (item.amount, item.effective_to) == (310, date(2026, 10, 1))
    assert (follower.amount, follower.effective_from) == (500, date(2026, 10, 1))
    assert (follower.follows, follower.position) == (item, item.position)
    assert [row.pk for row in cost_items.every()] == [item.pk, follower.pk, later.pk]
    assert changed(later, act, effective_to="2026-11-01").pk == later.pk
    for act_on in (
        lambda: changed(item, act, amount="7"),
        lambda: changed(later, act, effective_to="2026-09-20"),
        lambda: cost_items.end(later.pk, date(2026, 9, 30), act),
        lambda: made(act, SEATS, name="Too late"),
    ):
        with pytest.raises(ValidationError, match="2026-10-01 are closed"):
            act_on()


def test_capacity_of_the_same_usage_is_told_apart_or_used_one_after_another(act: Act) -> None:
    made(act, PTU, filters={"model": ["gpt-4o"]})
    made(act, PTU, name="More of it", filters={"model": ["gpt-4o"]})
    made(act, PTU, name="Other", filters={"model": ["!gpt-4o"]})
    made(act, PTU, name="Before", effective_from="2026-08-01", effective_to="2026-09-01")

    with pytest.raises(ValidationError, match="PTU may cover the same usage"):
        made(act, PTU, name="Too", filters={"team": ["cx"]})


def test_who_is_late_is_told(act: Act) -> None:
    item = made(act, SEATS)
    changed(item, act, amount="400")
    with pytest.raises(cost_items.Outdated, match="it is version 2 now"):
        cost_items.end(item.pk, date(2026, 12, 1), act, version=1)


def test_what_of_a_term_no_month_bears_is_said_before_and_when_it_ends(
    signed_in: Client, act: Act
) -> None:
    term = {"amount": "1095", "term_start": "2026-01-01", "term_end": "2027-01-01"}
    terms = PTU | {"hour_price": None} | term
    item = made(act, terms, effective_from="2026-10-01", filters={"team": ["cx"]})
    # 273 of 365 days are before it counts.
    page = signed_in.get(f"/settings/cost-items/{item.pk}").text
    assert "819.00" in page
    assert "no month bears that" in page
    ended = signed_in.post(
        f"/settings/cost-items/{item.pk}/end", {"day": "2026-12-01"}, follow=True
    )
    assert "912.00" in ended.text
    whole = made(act, terms, effective_from="2026-01-01", filters={"team": ["ads"]})
    assert "no month bears that" not in signed_in.get(f"/settings/cost-items/{whole.pk}").text
