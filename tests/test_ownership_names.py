"""Rules on users whose names are hashed or erased still hold for the usage that they held for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from finops import costs, erasures, name_hashing
from finops.models import OwnershipRule
from finops.organisation.stored import Act
from finops.ownership import rules
from finops.ownership.rules import RuleEntry
from finops.query import CostQuery
from ingest.user_names import hashed
from tests import figures, ownership, usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def owned(administrator: User) -> datetime:
    """Usage of ann, who is CC-1's, as is who has not come yet."""
    now = timezone.now()
    figures.price_models()
    usage.record([usage.event(now - timedelta(hours=1), user="ann", team="cx")], now=now)
    ownership.make_centers("CC-1")
    for user in ("ann", "later"):
        rules.make(RuleEntry({"user": user}, "CC-1"), Act(administrator, now))
    return now


def centers(now: datetime) -> dict[str, Any]:
    asked = CostQuery.from_params({}, now=now, zone=settings.REPORTING_ZONE)
    rows = costs.run(asked.replace(granularity="total", group_by=("cost_center",))).rows
    return {row.keys[0]: row.values["requests"] for row in rows}


def test_rules_on_users_are_hashed_with_their_names(
    owned: datetime, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "USER_HASH_KEY", "a key")
    name_hashing.turn_on(administrator, owned)
    for seconds in (11, 22, 33):
        name_hashing.convert(owned + timedelta(seconds=seconds))
    kept = [rule.conditions["user"] for rule in rules.every()]
    assert kept == [hashed("a key", "ann"), hashed("a key", "later")]
    assert centers(owned) == {"CC-1": 1}
    rules.make(RuleEntry({"user": "bob"}, "CC-1"), Act(administrator, owned))
    assert rules.every()[2].conditions == {"user": hashed("a key", "bob")}


def test_a_user_who_is_erased_stays_whose_they_were(owned: datetime, administrator: User) -> None:
    erasure = erasures.begin("ann", administrator, owned)
    assert centers(owned) == {"CC-1": 1}
    assert OwnershipRule.objects.get(position=1).conditions == {"user": erasure.label}
    usage.record([usage.event(owned, user="ann")], now=owned)
    assert centers(owned + timedelta(seconds=1)) == {"CC-1": 1, "Unattributed": 1}
