"""Budgets for each user, where names become hashes: the same user is told of once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from budgeting import UTC_ZONE, budget, cost, percent, price_dollars
from django.conf import settings
from django.utils import timezone

from finops import budgets, name_hashing
from finops.models import Alert, BudgetStatus, Crossing
from ingest.user_names import hashed
from tests import usage

pytestmark = pytest.mark.django_db


def test_a_user_whose_name_is_hashed_is_not_told_of_again() -> None:
    price_dollars()
    now = timezone.now()
    terms = {"for_each": "user", "period": "monthly", "thresholds": [percent(50)]}
    budget(now - timedelta(minutes=9), **terms)
    usage.record([cost(now - timedelta(minutes=1), 60, user="zoe")], now=now)
    budgets.evaluate(now, UTC_ZONE)
    assert name_hashing.turn_on("ada", now)
    for step in range(3):
        name_hashing.convert(now + step * name_hashing.SETTLED)
    later = now + timedelta(minutes=1)
    budgets.evaluate(later, UTC_ZONE)
    name = hashed(settings.USER_HASH_KEY, "zoe")
    assert [each.value for each in Crossing.objects.all()] == [name]
    assert set(BudgetStatus.objects.values_list("value", flat=True)) == {"", name}
    assert Alert.objects.filter(kind="budget_actual").count() == 1
