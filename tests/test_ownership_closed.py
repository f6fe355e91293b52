"""No change of who pays reaches into days whose books are closed."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from finops import costs, teams
from finops.models import ActivatedTag, CostCenter, OwnershipRule, Team
from finops.organisation.stored import Act
from finops.ownership import imports, rules
from finops.ownership.conditions import ALWAYS, Days
from finops.ownership.rules import RuleEntry
from finops.query import CostQuery
from tests import figures, ownership, usage

OPEN = date(2026, 11, 1)
NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
SAID = "The books before 2026-11-01 are closed"

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(administrator: User, monkeypatch: pytest.MonkeyPatch) -> Act:
    """The rule of team cx was made before October was closed."""
    ownership.make_centers("CC-1", "CC-2")
    act = Act(administrator, NOW)
    rules.make(RuleEntry({"team": "cx"}, "CC-1"), act)
    monkeypatch.setattr("finops.ownership.closed.open_from", lambda: OPEN)
    return act


@pytest.mark.parametrize(
    "days", [ALWAYS, Days(OPEN - timedelta(days=1)), Days(None, OPEN)], ids=str
)
def test_a_rule_of_closed_days_is_refused(act: Act, days: Days) -> None:
    with pytest.raises(ValidationError, match=SAID):
        rules.make(RuleEntry({"team": "hr"}, "CC-1", days), act)


def test_a_rule_from_before_is_ended_in_what_is_open_and_neither_moved_nor_removed(
    act: Act,
) -> None:
    [held] = OwnershipRule.objects.all()
    with pytest.raises(ValidationError, match=SAID):
        rules.end(held.pk, OPEN - timedelta(days=1), act)
    for refused in (lambda: rules.remove(held.pk, act), lambda: rules.move(held.pk, 1, act)):
        with pytest.raises(ValidationError, match=SAID):
            refused()
    assert rules.end(held.pk, OPEN, act).effective_to == OPEN
    rules.make(RuleEntry({"team": "cx"}, "CC-2", Days(OPEN)), act)


@pytest.mark.parametrize(
    ("lines", "is_taken"),
    [
        ("cx,CC-1,,\n", True),
        ("cx,CC-1,,2026-11-01\ncx,CC-2,2026-11-01,\n", True),
        ("hr,CC-2,2026-11-01,\ncx,CC-1,,\n", True),
        ("cx,CC-2,,\n", False),
        ("cx,CC-1,,2026-10-31\n", False),
        ("cx,CC-1,,\nhr,CC-2,2026-10-31,\n", False),
        ("hr,CC-2,2026-11-01,\n", False),
    ],
    ids=["same", "ended", "more", "other", "shorter", "reaching", "gone"],
)
def test_a_file_says_the_same_of_closed_days_or_is_refused(
    act: Act, lines: str, is_taken: bool
) -> None:
    body = "team,cost_center,effective_from,effective_to\n" + lines
    found = imports.read_file(io.BytesIO(body.encode()))
    if is_taken:
        assert imports.apply(found, act) == lines.count("\n")
        return
    for refused in (
        lambda: imports.apply(found, act),
        lambda: imports.preview(found, NOW, settings.REPORTING_ZONE),
    ):
        with pytest.raises(ValidationError, match="whose books are closed"):
            refused()
    assert OwnershipRule.objects.get().conditions == {"team": "cx"}


def test_rules_of_a_center_and_a_tag_that_are_not_in_use_any_more_come_back_as_they_went_out(
    act: Act, signed_in: Client
) -> None:
    tag = ActivatedTag.objects.create(key="squad")
    OwnershipRule.objects.create(
        position=2, conditions={"tag:squad": "a"}, dimensions=["tag:squad"], cost_center="CC-2"
    )
    CostCenter.objects.filter(code="CC-1").update(is_active=False)
    tag.delete()
    path = "/api/v1/ownership/rules.csv"
    file = signed_in.get(path).getvalue()
    put = {"content_type": "text/csv"}
    assert signed_in.put(path, file, **put).status_code == 200
    assert OwnershipRule.objects.count() == 2
    more = file + file.splitlines(keepends=True)[1].replace(b"cx", b"hr")
    said = signed_in.put(path, more, **put).json()
    assert "not in use any more" in str(said)


def test_a_team_moves_in_what_is_open_only(signed_in: Client, act: Act) -> None:
    team = Team.objects.create(name="hr", cost_center="CC-1")
    changed = {"name": "hr", "cost_center": "CC-2"}
    for since in ("", "2026-10-31"):
        refused = signed_in.post(f"/teams/{team.pk}", {**changed, "since": since})
        assert refused.status_code == 400
        assert SAID in refused.text
    assert (
        signed_in.post(f"/teams/{team.pk}", {**changed, "since": "2026-11-01"}).status_code == 302
    )


def test_a_team_that_is_made_later_pays_from_what_is_open_on(act: Act) -> None:
    figures.price_models()
    days: tuple[datetime, ...] = (NOW, NOW - timedelta(days=20))
    usage.record([usage.event(at, team="late") for at in days], now=NOW)
    teams.make("late", "CC-2", by=act.by, at=NOW)
    asked = CostQuery.from_params({}, now=NOW, zone=settings.REPORTING_ZONE)
    rows = costs.run(asked.replace(granularity="total", group_by=("cost_center",))).rows
    found: dict[str, Any] = {row.keys[0]: row.values["requests"] for row in rows}
    assert found == {"CC-2": 1, "Unattributed": 1}
