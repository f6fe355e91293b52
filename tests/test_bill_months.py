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
from finops.bills import accounts, imports, months, true_ups, usage
from finops.models import AuditRecord, BooksMonth, CostItem
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
    start = date(2026, 10, 28)
    with costs.together(ZoneInfo(zone)) as asked:
        seen = usage.of_days(asked, start, start + timedelta(6), ZoneInfo(zone))
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
        "unpriced": 0,
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


def cost_page(*days: tuple[int, str | None]) -> bytes:
    """OpenAI's costs by day; None is a day on which nothing was billed."""
    buckets = []
    for day, amount in days:
        start = int(datetime(2026, 10, day, tzinfo=UTC).timestamp())
        results = [
            {"object": "organization.costs.result", "amount": {"value": amount, "currency": "usd"}}
        ]
        bucket = {"start_time": start, "end_time": start + 86_400}
        buckets.append(bucket | {"results": results if amount else []})
    return json.dumps({"object": "page", "data": buckets}).encode()


def test_days_that_no_report_names_are_not_billed_nothing(act: Act) -> None:
    use(*map(noon, (3, 4, 5, 20, 21)))
    use(noon(3), model="gpt-4o-mini")
    bill(act, *whole_days(3))
    bill(act, *whole_days(20))
    found = months.of_month(OCTOBER)
    assert (found.total.difference, true_ups.remaining(found, "openai")) == (0, 0)
    [left] = found.unbilled
    assert (left.reason, left.days, left.requests) == ("no report", 4, 4)
    imports.take(cost_page((4, str(EACH)), (5, None)), "costs.json", act)
    found = months.of_month(OCTOBER)
    assert sorted((cell.key.day.day, cell.billed) for cell in found.cells) == [
        (3, EACH), (4, EACH), (5, 0), (20, EACH),
    ]  # fmt: skip
    assert found.total.parts["coverage"] == -EACH


def test_days_with_amounts_of_another_currency_are_not_compared(act: Act) -> None:
    use(*map(noon, (3, 4)))
    both = ColumnMapping({**MAPPING.columns, "currency": "currency"}, provider="openai")
    rows = [
        "day,model,kind,tokens,amount,currency",
        "2026-10-03,gpt-4o,input,1000,5,EUR",
        "2026-10-03,gpt-4o,output,200,0.00175,USD",
        *(f"{row},USD" for row in whole_days(4)),
    ]
    imports.take("\n".join(rows).encode(), "bill.csv", act, mapping=both)
    found = months.of_month(OCTOBER)
    assert [(cell.key.day.day, cell.difference) for cell in found.cells] == [(4, 0)]
    assert [(each.currency, each.amount) for each in found.foreign] == [
        ("EUR", D(5)),
        ("USD", D("0.00175")),
    ]
    assert [(each.reason, each.cost) for each in found.unbilled] == [("currency", EACH)]


def test_usage_without_a_price_is_in_a_part_that_nobody_can_accept(act: Act) -> None:
    use(noon(3), model="brand-new")
    use(noon(4))
    bill(act, "2026-10-03,brand-new,output,200,2", *whole_days(4)[:1], "2026-10-04,gpt-4o,,,1")
    found = months.of_month(OCTOBER)
    assert found.total.parts["unpriced"] == 2
    assert found.cells[0].status == "unpriced"
    left = true_ups.remaining(found, "openai")
    assert left == (found.total.difference - 2).quantize(D("0.000001"))


def test_accounts_are_set_against_the_services_and_teams_that_they_are_of(act: Act) -> None:
    use(noon(3), service="cx", team="one")
    use(noon(3), service="ads", team="one")
    use(noon(3), service="lab", team="two")
    accounts.put(accounts.read({"provider": "OpenAI", "account": "key-1", "service": "cx"}), act)
    accounts.put(accounts.read({"provider": "OpenAI", "account": "key-2", "service": "cx"}), act)
    accounts.put(accounts.read({"provider": "OpenAI", "account": "proj", "team": "one"}), act)
    by = ColumnMapping({**MAPPING.columns, "account": "account"}, provider="openai")
    rows = [
        "day,model,kind,tokens,amount,account",
        "2026-10-03,gpt-4o,input,1000,0.0021875,key-1",
        "2026-10-03,gpt-4o,output,200,0.00175,key-2",
        "2026-10-03,gpt-4o,input,1000,0.0021875,proj",
        "2026-10-03,gpt-4o,output,200,0.5,proj",
        "2026-10-03,gpt-4o,output,200,7,nobody",
    ]
    imports.take("\n".join(rows).encode(), "bill.csv", act, mapping=by)
    found = months.of_month(OCTOBER, by_account=True)
    assert [(cell.key.account, cell.status, cell.ours) for cell in found.cells] == [
        ("service cx", "matched", EACH),
        ("team one", "explained", EACH),
    ]
    assert found.total.parts["price"] == D("0.49825")
    [unmapped] = found.unmapped
    assert (unmapped.account, unmapped.amount) == ("nobody", D(7))
    [left] = found.unbilled
    assert (left.reason, left.requests) == ("no account", 1)
    dearest = accounts.charged(OCTOBER)[0]
    assert (dearest.mapped.account, dearest.amounts) == ("nobody", {"USD": D(7)})
    together = months.of_month(OCTOBER)
    assert (together.total.ours, together.unmapped) == (3 * EACH, ())


def test_a_true_up_goes_to_the_first_month_from_its_own_that_is_open(act: Act) -> None:
    for month, state in ((9, "draft"), (10, "closed")):
        BooksMonth.objects.create(month=date(2026, month, 1), state=state, version=1)
    assert true_ups.goes_to(OCTOBER) == date(2026, 11, 1)
    assert true_ups.goes_to(date(2026, 9, 1)) == date(2026, 9, 1)
