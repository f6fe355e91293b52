"""Budgets of cost centers meet the calls that rules give them today."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from enforcing import Gateway
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app

from finops.models import Team
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.conditions import Days
from finops.ownership.rules import RuleEntry
from tests.ownership import make_centers

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_a_call_is_of_the_cost_center_that_rules_give_it_today(
    gateway: Gateway, administrator: User
) -> None:
    act = Act(administrator, gateway.now)
    Team.objects.create(name="cx", cost_center="CC-1")
    make_centers("CC-1", "CC-2")
    today = gateway.now.date()
    rules.make(RuleEntry({"team": "cx", "feature": "old"}, "CC-2", Days(None, today)), act)
    rules.make(RuleEntry({"team": "cx", "feature": "new"}, "CC-2", Days(today)), act)
    gateway.budget(1, filters={"cost_center": ["CC-1"]})
    gateway.refresh()
    assert gateway.decided(team="cx", feature="old", estimated_cost=2)[0] == "block"
    assert gateway.decided(team="cx", feature="new", estimated_cost=2)[0] == "allow"
    assert gateway.decided(team="hr", user="ann", estimated_cost=2)[0] == "allow"
    rules.make(RuleEntry({"user": "ann"}, "CC-1", position=1), act)
    gateway.refresh()
    assert gateway.decided(team="hr", user="ann", estimated_cost=2)[0] == "block"
