"""Who pays in the demo's company: cost centers, a team that moves, and rules, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from finops.models import OwnershipRule, Team
from finops.organisation.stored import Act
from finops.ownership import centers, rules
from finops.ownership.centers import CenterEntry
from finops.ownership.conditions import Days
from finops.ownership.rules import RuleEntry
from finops.periods import local_day

# Code, name, account of the general ledger, and whose it is. Research has none.
CENTERS = (
    ("CC-1100", "Customer care", "6411", "care"),
    ("CC-1110", "Enterprise care", "6411", "enterprise"),
    ("CC-1200", "Product", "6420", "product"),
    ("CC-1300", "Marketing", "6430", "marketing"),
    ("CC-1400", "Risk", "6440", "risk"),
    ("CC-2100", "Engineering", "6510", "engineering"),
    ("CC-2200", "Developer platform", "6520", "platform"),
    ("CC-3100", "Administration", "6900", "administration"),
)
MOVED, MOVED_TO = "developer-experience", "CC-2200"


def make(by: User, now: datetime, zone: ZoneInfo) -> None:
    if OwnershipRule.objects.exists():
        return
    act = Act(by, now)
    for code, name, account, owner in CENTERS:
        centers.keep(CenterEntry(code, name, account, f"{owner}@example.com"), act)
    month = local_day(now, zone).replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    team = Team.objects.get(name=MOVED)
    team.moves.get_or_create(effective_from=month, defaults={"cost_center": MOVED_TO})
    for conditions, code, days in (
        ({"team": "support", "tag:plan": "enterprise"}, "CC-1110", Days()),
        ({"team": "data-platform", "environment": "production"}, "CC-1200", Days(before, month)),
        ({"team": "data-platform", "environment": "production"}, "CC-2200", Days(month)),
    ):
        rules.make(RuleEntry(conditions, code, days), act)
