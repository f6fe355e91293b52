"""What a gateway is answered before a call, at the running door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from enforcing import AUTHORIZE, DOLLAR, Gateway, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app
from jsonschema import Draft202012Validator

from finops.models import Budget, Team

pytestmark = [pytest.mark.django_db(transaction=True)]

GATE = f"{AUTHORIZE}/gate"
TOKENS = {"provider": "acme", "model": "dollar"}


def test_a_call_that_no_budget_is_about_is_allowed(gateway: Gateway) -> None:
    gateway.budget(5, enforced="none")
    gateway.budget(5, filters={"team": ["search"]})
    gateway.refresh()
    answer = gateway.ask(team="cx", estimated_cost="9")
    assert answer["decision"] == "allow"
    assert (answer["reasons"], answer["remaining"], answer["reservation"]) == ([], None, None)


def test_what_does_not_fit_is_blocked_and_says_what_remains(gateway: Gateway) -> None:
    held = gateway.budget(10, filters={"team": ["cx"]})
    gateway.refresh()
    gateway.spend("7.25", team="cx")
    assert gateway.decided(team="cx", estimated_cost="2.75") == ("allow", "within_budget")
    answer = gateway.ask(team="cx", estimated_cost="2.75000001")
    [reason] = answer["reasons"]
    assert (answer["decision"], answer["remaining"]) == ("block", "2.75")
    assert (reason["budget"], reason["name"], reason["code"]) == (
        held.pk,
        held.name,
        "budget_spent",
    )
    assert (reason["amount"], reason["spent"], reason["reserved"]) == ("10", "7.25", "0")
    left = datetime.fromisoformat(reason["resets_at"]) - gateway.now
    assert abs(left.total_seconds() - answer["retry_after"]) <= 1
    assert answer["as_of"] is not None
    gateway.spend("2.75", team="cx")
    assert gateway.decided(team="cx") == ("block", "budget_spent")  # whatever it costs
    assert gateway.decided(team="hr", estimated_cost=99)[0] == "allow"


def test_expected_tokens_are_priced_by_the_ledger(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.refresh()
    fits = gateway.ask(**TOKENS, input_tokens=6 * DOLLAR, output_tokens=4 * DOLLAR)
    assert (fits["decision"], fits["estimated_cost"]) == ("allow", "10")
    assert gateway.decided(**TOKENS, input_tokens=6 * DOLLAR, output_tokens=4 * DOLLAR + 1) == (
        *("block", "over_amount"),
    )


@pytest.mark.parametrize(
    ("policy", "rate", "decided"),
    [
        ("ignore", None, ("allow", "within_budget")),
        ("estimate", 2, ("allow", "within_budget")),
        ("estimate", 20, ("block", "over_amount")),
        ("breach", None, ("block", "price_missing")),
    ],
)
def test_a_model_without_a_price_goes_by_the_budgets_policy(
    gateway: Gateway, policy: str, rate: int | None, decided: tuple[str, str]
) -> None:
    gateway.budget(10, unpriced=policy, unpriced_rate=rate)
    gateway.refresh()
    assert gateway.decided(model="nobody-knows", input_tokens=DOLLAR) == decided
    assert gateway.ask(model="nobody-knows", input_tokens=DOLLAR)["estimated_cost"] is None


def test_a_budget_for_each_user_stands_for_every_one_by_itself(gateway: Gateway) -> None:
    gateway.budget(5, for_each="user", period=Budget.Span.DAILY)
    gateway.refresh()
    gateway.spend(5, user="ann")
    gateway.spend(1, user="bob")
    assert gateway.decided(user="ann") == ("block", "budget_spent")
    said = gateway.ask(user="bob", estimated_cost=4)
    assert (said["decision"], said["remaining"]) == ("allow", "4")
    assert (said["reasons"][0]["dimension"], said["reasons"][0]["value"]) == ("user", "bob")
    assert gateway.ask(user="eve", estimated_cost=5)["remaining"] == "5"
    assert gateway.ask(estimated_cost=99)["reasons"] == []  # nobody in particular


def test_calls_that_name_no_user_have_a_budget_of_their_own(gateway: Gateway) -> None:
    gateway.budget(1, for_each="user")
    gateway.refresh()
    assert gateway.ask(estimated_cost=2)["reasons"] == []
    gateway.budget(1, filters={"user": ["Unattributed"]})
    gateway.refresh()
    assert gateway.decided(estimated_cost=2) == ("block", "over_amount")
    assert len(gateway.ask(user="ann", estimated_cost=1)["reasons"]) == 1


def test_filters_are_read_as_figures_read_them(gateway: Gateway) -> None:
    Team.objects.create(name="cx", cost_center="CC-1")
    gateway.budget(1, filters={"cost_center": ["CC-1"], "model": ["!small"]})
    gateway.refresh()
    assert gateway.decided(team="cx", model="large", estimated_cost=2)[0] == "block"
    assert gateway.decided(team="cx", model="small", estimated_cost=2)[0] == "allow"
    assert gateway.decided(team="hr", model="large", estimated_cost=2)[0] == "allow"
    gateway.budget(1, filters={"feature": ["Unattributed"]})
    gateway.refresh()
    assert gateway.decided(estimated_cost=2)[0] == "block"
    assert gateway.decided(feature="answers", estimated_cost=2)[0] == "allow"


def test_of_several_budgets_the_strictest_decides_and_is_said_first(gateway: Gateway) -> None:
    gateway.budget(1000)
    tight = gateway.budget(1, filters={"team": ["cx"]})
    gateway.refresh()
    answer = gateway.ask(team="cx", estimated_cost=2)
    assert answer["decision"] == "block"
    assert [each["decision"] for each in answer["reasons"]] == ["block", "allow"]
    assert answer["reasons"][0]["budget"] == tight.pk
    assert answer["remaining"] == "1"


def test_a_throttled_budget_lets_calls_in_one_after_another(gateway: Gateway) -> None:
    gateway.budget(10, enforced="throttle", throttle_percent=80)
    gateway.refresh()
    assert [gateway.decided(estimated_cost="0.01") for _ in range(3)] == [
        ("allow", "within_budget")
    ] * 3
    gateway.spend(9)
    assert gateway.decided(estimated_cost="0.01") == ("allow", "paced")
    answer = gateway.ask(estimated_cost="0.01")
    assert answer["decision"] == "throttle"
    assert 1 <= answer["retry_after"] <= 60
    clock.now += answer["retry_after"]
    assert gateway.decided(estimated_cost="0.01") == ("allow", "paced")
    gateway.spend(9)
    over = gateway.ask(estimated_cost="0.01")
    assert over["decision"] == "throttle"  # never blocked
    assert "about one call a minute" in over["reasons"][0]["detail"]
    assert "spread over what is left" not in over["reasons"][0]["detail"]


def test_a_new_period_begins_with_nothing_spent(gateway: Gateway) -> None:
    gateway.budget(5, period=Budget.Span.DAILY)
    gateway.refresh()
    gateway.spend(5)
    assert gateway.decided(estimated_cost=1)[0] == "block"
    midnight = (gateway.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    clock.now = midnight.timestamp() + 1
    gateway.refresh()
    assert gateway.ask(estimated_cost=1)["remaining"] == "5"


@pytest.mark.parametrize(("closes", "decision"), [(False, "allow"), (True, "block")])
def test_without_fresh_figures_a_budget_fails_as_it_was_told(
    gateway: Gateway, closes: bool, decision: str
) -> None:
    gateway.budget(5, fail_closed=closes)
    gateway.refresh()
    clock.now += 121
    answer = gateway.ask(estimated_cost=1)
    assert (answer["decision"], answer["reasons"][0]["code"]) == (decision, "figures_stale")
    assert ("closed" if closes else "open") in answer["reasons"][0]["detail"]


def test_a_removed_budget_enforces_nothing(gateway: Gateway) -> None:
    held = gateway.budget(1)
    gateway.refresh()
    assert gateway.decided(estimated_cost=2)[0] == "block"
    held.removed_at = gateway.now
    held.save()
    gateway.refresh()
    assert gateway.ask(estimated_cost=2)["reasons"] == []


def test_a_teams_key_learns_no_figures_of_others(gateway: Gateway) -> None:
    gateway.budget(10)
    gateway.budget(10, filters={"team": ["cx"]})
    gateway.budget(10, for_each="team")
    gateway.refresh()
    gateway.spend(3, team="hr")
    gateway.door.key = gateway.door.new_key(gateway.door.source, team="cx")
    mine = gateway.ask(estimated_cost=1)
    assert [each["amount"] for each in mine["reasons"]] == [None, "10", "10"]
    assert (mine["reasons"][0]["name"], mine["remaining"]) == (None, "10")


def test_wrong_fields_are_named_each(gateway: Gateway) -> None:
    response = gateway.post(
        AUTHORIZE,
        {"team": 7, "estimate_cost": 1, "ttl_seconds": 0, "reserve": True, "user": "a\0b"},
    )
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    errors = {each["field"]: each["message"] for each in response.json()["errors"]}
    assert errors.keys() == {"team", "estimate_cost", "ttl_seconds"}
    assert "did you mean estimated_cost?" in errors["estimate_cost"]
    again = gateway.post(AUTHORIZE, {"reserve": True, "user": "a\0b", "ttl_seconds": 60})
    assert {each["field"] for each in again.json()["errors"]} == {"estimated_cost", "user"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"team": "\xff"}', b'{"a":' * 5000])
def test_what_is_no_question_is_refused(gateway: Gateway, body: bytes) -> None:
    response = gateway.door.http.post(
        AUTHORIZE, content=body, headers={"x-api-key": gateway.door.key}
    )
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("cost", ["-1", "NaN", "Infinity", "1e13", "1e-41", "1e999999999", "x"])
def test_an_estimate_is_an_amount(gateway: Gateway, cost: str) -> None:
    response = gateway.post(AUTHORIZE, {"estimated_cost": cost})
    assert response.status_code == 400
    assert [each["field"] for each in response.json()["errors"]] == ["estimated_cost"]


def test_only_keys_ask(gateway: Gateway) -> None:
    for path in (AUTHORIZE, f"{AUTHORIZE}/00000000-0000-0000-0000-000000000000/settle"):
        assert gateway.door.http.post(path, json={}).status_code == 401
    assert gateway.door.http.get(AUTHORIZE).status_code == 405
    for path in (f"{AUTHORIZE}/1/settle", f"{AUTHORIZE}/elsewhere", f"{AUTHORIZE}/"):
        assert gateway.post(path, {"cost": 1}).status_code == 404


def gate(gateway: Gateway, query: str = "", **headers: str) -> Any:
    given = {f"x-farthing-{name.replace('_', '-')}": value for name, value in headers.items()}
    return gateway.door.http.get(GATE + query, headers={"x-api-key": gateway.door.key, **given})


def test_a_proxy_asks_in_headers_and_is_answered_by_a_status(gateway: Gateway) -> None:
    gateway.budget(10, filters={"team": ["cx"]})
    gateway.budget(1, enforced="throttle", filters={"team": ["hr"]})
    gateway.refresh()
    let_in = gate(gateway, team="cx", feature="", estimated_cost="9.99")
    assert (let_in.status_code, let_in.content) == (204, b"")
    assert let_in.headers["x-farthing-decision"] == "allow"
    blocked = gate(gateway, team="cx", estimated_cost="10.01")
    assert (blocked.status_code, blocked.headers["x-farthing-decision"]) == (403, "block")
    assert "retry-after" not in blocked.headers  # of no use
    gateway.spend("0.02", team="cx")
    later = gate(gateway, team="cx", estimated_cost="9.99")
    assert (later.status_code, int(later.headers["retry-after"]) > 0) == (403, True)
    assert gate(gateway, team="hr", estimated_cost="2").status_code == 204
    throttled = gate(gateway, team="hr", estimated_cost="2")
    assert (throttled.status_code, throttled.headers["x-farthing-decision"]) == (429, "throttle")
    assert gate(gateway, "?throttled=403", team="hr", estimated_cost="2").status_code == 403
    for query, headers in (
        ("?throttled=500", {}),
        ("", {"input_tokens": "many"}),
        ("", {"x": "1"}),
    ):
        assert gate(gateway, query, **headers).status_code == 400
    for wrong in ({"x": "1"}, {"user": "u" * 201}, {"input_tokens": "1", "estimated_cost": "1"}):
        refused = gate(gateway, "?throttled=403", **wrong)
        assert (refused.status_code, "This cannot be read" in refused.text) == (403, True)
    for wrong in ({"estimated_cost": "much"}, {"input_tokens": "1", "estimated_cost": "1"}):
        [error] = gate(gateway, **wrong).json()["errors"]
        assert error["field"] == "X-Farthing-Estimated-Cost", "as whoever sets it knows it"


def test_decisions_are_counted(gateway: Gateway) -> None:
    gateway.budget(1)
    gateway.refresh()

    def counted(decision: str) -> float:
        name = f'farthing_ingest_authorizations_total{{decision="{decision}"}} '
        text = gateway.door.http.get("/metrics").text
        return float(text.partition("\n" + name)[2].split("\n")[0] or 0)

    before = counted("allow"), counted("block")
    gateway.ask(estimated_cost=1)
    gateway.ask(estimated_cost="1.5")
    assert (counted("allow"), counted("block")) == (before[0] + 1, before[1] + 1)
    assert "farthing_ingest_budgets_age_seconds" in gateway.door.http.get("/metrics").text


def test_answers_follow_the_document(gateway: Gateway, client: Client) -> None:
    document = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    described = document["paths"][AUTHORIZE]["post"]["responses"]["200"]["content"]
    schema = described["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    gateway.budget(5, for_each="user")
    gateway.budget(1, enforced="throttle", period=Budget.Span.ROLLING, rolling_days=7)
    gateway.refresh()
    for more in ({"reserve": True}, {}, {"estimated_cost": 9}):
        answer = gateway.ask(**{"user": "ann", "estimated_cost": 1, **more})
        assert len(answer["reasons"]) == 2
        assert [error.message for error in validator.iter_errors(answer)] == []
