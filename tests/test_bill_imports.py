"""Reports that come twice, overlap, or say a day by other things count once."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops.bills import imports, storing
from finops.models import AuditRecord, BillImport
from finops.models import BillLine as StoredLine
from finops.organisation.stored import Act
from finops.reconciliation import BillLine, kept, read
from finops.reconciliation.lines import merged

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
DAY = date(2026, 10, 1)
D = Decimal

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(administrator: User) -> Act:
    return Act(administrator, NOW)


def page(*results: dict[str, Any], day: date = DAY) -> bytes:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    bucket = {"object": "bucket", "start_time": start, "end_time": start + 86_400}
    return json.dumps({"object": "page", "data": [bucket | {"results": results}]}).encode()


def cost(amount: str, item: str = "gpt-4o, output", **more: Any) -> dict[str, Any]:
    held = {"value": amount, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": held, "line_item": item, **more}


def held() -> list[BillLine]:
    return storing.in_force(DAY, DAY + timedelta(31))


def total() -> Decimal:
    return sum((line.amount or D(0) for line in held()), D(0))


# Results as providers have them: of one report some are of no key or project, and endpoints,
# widths of buckets and what a report is by differ from one report to the next.
BY = st.sampled_from([(), ("model",), ("model", "api_key_id"), ("project_id", "model")])


@st.composite
def reports(draw: st.DrawFn) -> list[BillLine]:
    by, slots = draw(BY), draw(st.sampled_from([("",), ("05", "06"), ("05:07", "06:00")]))
    source = draw(st.sampled_from(["openai costs", "openai usage completions", "csv"]))
    is_costs = source == "openai costs"

    def line(day: int, key: bool, model: str, number: Decimal, slot: str) -> BillLine:
        names = tuple(name for name in by if name == "model" or key)
        return BillLine(
            "openai",
            source,
            DAY + timedelta(day),
            model=model if "model" in by else "",
            account="k" * 200 if key and len(by) == 2 else "",
            quantity=None if is_costs else number,
            amount=number if is_costs else None,
            grouping=names,
            slot=slot,
        )

    numbers = st.decimals(-99, 9_999, places=20)
    days, models = st.integers(0, 2), st.sampled_from(["gpt-4o", "o'3\t\\N"])
    lines = st.builds(line, days, st.booleans(), models, numbers, st.sampled_from(slots))
    return merged(draw(st.lists(lines, min_size=1, max_size=6)))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(reports(), min_size=1, max_size=5), st.data())
def test_whatever_comes_and_is_withdrawn_what_holds_is_what_the_rules_say(
    act: Act, given_reports: list[list[BillLine]], data: st.DataObject
) -> None:
    with transaction.atomic():
        made = []
        for at, report in enumerate(given_reports):
            taken = BillImport.objects.create(
                file_name=f"{at}", sha256="b", format="c", lines=len(report), created_at=NOW
            )
            storing.add(taken, report)
            made.append(taken)
        assert sorted(held(), key=str) == sorted(reduce(kept, given_reports, []), key=str)
        left = dict(enumerate(given_reports))
        for at in data.draw(st.lists(st.sampled_from(range(len(made))), unique=True)):
            imports.withdraw(made[at].pk, act)
            del left[at]
            expected: list[BillLine] = reduce(kept, left.values(), [])
            assert sorted(held(), key=str) == sorted(expected, key=str)
        assert StoredLine.objects.count() == sum(map(len, given_reports))
        transaction.set_rollback(True)


def test_what_is_withdrawn_holds_no_more_and_may_come_again(act: Act) -> None:
    first = imports.take(page(cost("1.5")), "monday.json", act).made
    later = imports.take(page(cost("394")), "typo.json", act)
    assert later.replaced == 1
    assert imports.withdraw(later.made.pk, act)[1] == 1
    assert total() == D("1.5")
    with pytest.raises(ValidationError, match="withdrawn before"):
        imports.withdraw(later.made.pk, act)
    assert imports.take(page(cost("394")), "again.json", act).is_new
    assert imports.withdraw(first.pk, act)[1] == 0
    assert total() == D(394)
    assert AuditRecord.objects.filter(action="bill.withdraw", actor="ada").count() == 2


def test_the_same_file_is_taken_once_and_again_where_another_took_its_place(act: Act) -> None:
    first, later = page(cost("1.5")), page(cost("2.25"), cost("1", "gpt-4o, input"))
    one = imports.take(first, "monday.json", act)
    again = imports.take(first, "monday (1).json", act)
    assert (one.is_new, again.is_new, again.made) == (True, False, one.made)
    assert imports.take(later, "tuesday.json", act).is_new
    assert total() == D("3.25")
    assert imports.take(first, "monday.json", act).is_new
    assert total() == D("2.5")
    assert [(each.file_name, lines) for each, lines in imports.everything()] == [
        ("monday.json", 1),
        ("tuesday.json", 1),
        ("monday.json", 0),
    ]
    assert StoredLine.objects.filter(superseded_by=None).count() == 2
    assert AuditRecord.objects.filter(action="bill.import", actor="ada").count() == 3


def test_overlapping_reports_of_days_do_not_double(act: Act) -> None:
    days = [DAY + timedelta(n) for n in range(4)]
    for first in (0, 1, 2):
        for day in days[first : first + 2]:
            imports.take(page(cost("1"), day=day), f"{first} {day}", act)
    assert total() == D(4)
    imports.take(page(cost("1"), cost("7", project_id="p")), "by project", act)
    assert total() == D(11)


@pytest.mark.parametrize(
    ("content", "name", "field"),
    [
        (b"{", "a.json", "file"),
        (page(cost("1")), "", "name"),
        (page(cost("1")), "a\x00", "name"),
        (page(cost("1e99")), "a", "file"),
        (page(cost("1e-99")), "a", "file"),
    ],
    ids=["no JSON", "no name", "no text", "too large", "too fine"],
)
def test_what_cannot_be_taken_leaves_nothing(
    act: Act, content: bytes, name: str, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        imports.take(content, name, act)
    assert list(refused.value.message_dict) == [field]
    assert not BillImport.objects.exists()
    assert not AuditRecord.objects.filter(action="bill.import").exists()


def test_every_line_comes_back_as_it_was_read(act: Act) -> None:
    content = page(cost("0.1", "x" * 200, project_id="p"), cost("-3"))
    imports.take(content, "a.json", act)
    assert sorted(held(), key=str) == sorted(read(content).lines, key=str)
