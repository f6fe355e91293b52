"""A month's bills against usage: exact in every zone, plain about what is not compared."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from finops import cost_items, costs
from finops.bills import imports, months, true_ups, usage
from finops.models import AuditRecord, CostItem
from finops.organisation.stored import Act
from finops.reconciliation import ColumnMapping
from finops.reconciliation.splitting import add_up
from tests import figures
from tests import usage as events

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)
D = Decimal
# What an event of a thousand tokens in and two hundred out costs: see figures.price_models.
EACH = (1000 * D("0.0000025") + 200 * D("0.00001")) * D("0.875")
MAPPING = ColumnMapping(
    {"day": "day", "model": "model", "kind": "kind", "quantity": "tokens", "amount": "amount"},
    provider="OpenAI",
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(administrator: User) -> Act:
    figures.price_models()
    return Act(administrator, NOW)


def use(*at: datetime, **more: Any) -> None:
    events.record([events.event(each, **more) for each in at], now=NOW)


def noon(day: int) -> datetime:
    return datetime(2026, 10, day, 12, tzinfo=UTC)


def bill(act: Act, *rows: str, mapping: ColumnMapping = MAPPING) -> None:
    lines = ["day,model,kind,tokens,amount", *rows]
    imports.take("\n".join(lines).encode(), "bill.csv", act, mapping=mapping)


def whole_days(*days: int) -> list[str]:
    """What the provider bills of an event a day, at our price."""
    return [
        row
        for day in days
        for row in (
            f"2026-10-{day:02},gpt-4o,input,1000,0.0021875",
            f"2026-10-{day:02},gpt-4o,output,200,0.00175",
        )
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham"])
def test_our_side_is_of_days_of_utc_to_the_last_digit_in_every_zone(act: Act, zone: str) -> None:
    first, end = noon(30) - timedelta(hours=30), noon(30) + timedelta(hours=40)
    recorded = figures.random_events(7, 150, first, end)
    events.record(recorded, now=NOW, zone=ZoneInfo(zone))
    expected: dict[tuple[str, date], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in figures.stored():
        cell = expected[row["model"], row["started_at"].astimezone(UTC).date()]
        cell["requests"] += 1
        cell["cost"] += row["effective_cost"] or 0
        cell["uncached_input"] += row["uncached_input_tokens"] + row["input_audio_tokens"]
        cell["cache_read_input"] += row["cache_read_input_tokens"]
        cell["output_cost"] += row["output_cost"] or 0
    days = [date(2026, 10, 28) + timedelta(n) for n in range(6)]
    with costs.together(ZoneInfo(zone)) as asked:
        seen = usage.of_days(asked, days, ZoneInfo(zone))
    found = {
        (key.model, key.day): {
            "requests": D(used.requests),
            "cost": used.cost,
            "uncached_input": used.quantities.get("uncached_input", D(0)),
            "cache_read_input": used.quantities.get("cache_read_input", D(0)),
            "output_cost": used.costs.get("output", D(0)),
        }
        for key, used in seen.cells.items()
    }
    assert found == {key: dict(cell) for key, cell in expected.items()}
    assert seen.names == {"openai": {"openai"}}


def test_each_difference_of_a_month_is_told_by_its_part(act: Act) -> None:
    use(*map(noon, (3, 4, 5, 6)))
    bill(
        act,
        *whole_days(3),
        "2026-10-04,gpt-4o,input,1000,0.0021875",
        "2026-10-04,gpt-4o,output,200,0.5",
        "2026-10-05,gpt-4o,,,0.75",
        *whole_days(6),
        "2026-10-06,o3,output,10,2",
    )
    found = months.of_month(OCTOBER)
    assert [(cell.key.day.day, cell.key.model, cell.status) for cell in found.cells] == [
        (3, "gpt-4o", "matched"),
        (4, "gpt-4o", "explained"),
        (5, "gpt-4o", "unexplained"),
        (6, "gpt-4o", "matched"),
        (6, "o3", "explained"),
    ]
    total = found.total
    assert total.ours == 4 * EACH
    assert total.billed == 2 * EACH + D("0.5021875") + D("0.75") + 2
    assert add_up(total.parts.values()) == total.difference == total.billed - total.ours
    assert total.parts["coverage"] == 2
    assert total.parts["price"] == D("0.49825")
    assert total.parts["unexplained"] == D("0.75") - EACH
    assert dict(total.statuses) == {
        "matched": 2,
        "explained": 2,
        "unexplained": 1,
        "no amount": 0,
    }


def test_what_cannot_be_compared_stands_apart(act: Act) -> None:
    use(*map(noon, (3, 4, 20, 21)))
    use(noon(4), provider="anthropic", model="gpt-4o-mini")
    bill(act, *whole_days(3, 4))
    euros = ColumnMapping(MAPPING.columns, provider="mistral", currency="EUR")
    bill(act, "2026-10-04,m,output,5,3.5", "2026-10-05,m,output,5,1", mapping=euros)
    found = months.of_month(OCTOBER)
    assert found.total.difference == 0
    assert found.providers == ["openai"]
    assert {(each.provider, each.days, each.requests) for each in found.unbilled} == {
        ("openai", 2, 2),
        ("anthropic", 1, 1),
    }
    [other] = found.foreign
    assert (other.provider, other.currency, other.amount, other.lines) == (
        "mistral", "EUR", D("4.5"), 2,
    )  # fmt: skip


def test_a_day_of_another_month_is_looked_at_only_for_timing(act: Act) -> None:
    use(*[noon(1) - timedelta(days=1)] * 9, *[noon(1)] * 11)
    before = [row.replace("2026-10-00", "2026-09-30") for row in whole_days(0)]
    bill(act, *before * 10, *whole_days(1) * 10)
    found = months.of_month(OCTOBER)
    [cell] = found.cells
    assert (cell.key.day, cell.difference) == (OCTOBER, -EACH)
    assert {name for name, amount in cell.parts.items() if amount} == {"timing"}


def test_a_true_up_is_made_of_what_is_left_and_only_once(act: Act) -> None:
    use(noon(3))
    bill(act, "2026-10-03,gpt-4o,,,0.75")
    left = true_ups.remaining(months.of_month(OCTOBER), "openai")
    assert left == D("0.746062")  # to a millionth
    for provider, amount in (("openai", D("0.7")), ("azure", left)):
        with pytest.raises(ValidationError):
            true_ups.accept(OCTOBER, provider, amount, act)
    item = true_ups.accept(OCTOBER, "openai", left, act)
    assert (item.amount, item.kind, item.reference) == (
        left, "true_up", "reconciliation 2026-10 openai",
    )  # fmt: skip
    assert item.effective_from == OCTOBER
    with pytest.raises(ValidationError, match="Nothing is left"):
        true_ups.accept(OCTOBER, "openai", left, act)
    bill(act, "2026-10-03,gpt-4o,,,0.70")
    found = months.of_month(OCTOBER)
    true_ups.accept(OCTOBER, "openai", true_ups.remaining(found, "openai"), act)
    amounts = CostItem.objects.filter(kind="true_up").values_list("amount", flat=True)
    assert sum(amounts) == D("0.696062")
    assert AuditRecord.objects.filter(action="bill.true_up", actor="ada").count() == 2
    month = cost_items.of_month(OCTOBER, now=NOW)
    assert month.allocation.totals.shared_cost == D("0.696062")


def test_usage_reports_without_amounts_compare_tokens_alone(act: Act) -> None:
    use(noon(3))
    start = int(datetime(2026, 10, 3, tzinfo=UTC).timestamp())
    result = {
        "object": "organization.usage.completions.result", "model": "gpt-4o",
        "input_tokens": 1000, "output_tokens": 250, "num_model_requests": 1,
    }  # fmt: skip
    page = {"object": "page", "data": [{"start_time": start, "results": [result]}]}
    imports.take(json.dumps(page).encode(), "usage.json", act)
    [cell] = months.of_month(OCTOBER).cells
    assert (cell.status, cell.quantities["output"]) == ("no amount", (D(200), D(250)))
