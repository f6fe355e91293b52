"""What the Settings desk says of latency tiers and activated tags, and what events make of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from desks import reader
from django.test import Client

from finops.models import ActivatedTag, AuditRecord, LatencyTier
from tests import usage

pytestmark = pytest.mark.django_db

TIERS, TAGS = "/settings/tiers", "/settings/tags"


def tier(name: str) -> LatencyTier:
    return LatencyTier.objects.get(name=name)


def record(action: str) -> AuditRecord:
    return AuditRecord.objects.get(action=action)


def test_a_tier_is_added_with_its_bound_and_target(signed_in: Client) -> None:
    given = {"name": " chat ", "max_latency_ms": "1200.5", "target_p95_ms": "900"}
    response = signed_in.post(TIERS, given, follow=True)
    assert "Requests from now on can be chat." in response.text
    assert (tier("chat").max_latency_ms, tier("chat").target_p95_ms) == (1200.5, 900)
    assert record("latency_tier.add").after == {
        "name": "chat",
        "up to, ms": 1200.5,
        "target p95, ms": 900,
    }
    assert record("latency_tier.add").address == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_latency_ms": "50"}, ["Write what the tier is called"]),
        ({"name": "batch", "max_latency_ms": "50"}, ["a tier of this name already"]),
        ({"name": "(overflow)", "max_latency_ms": "50"}, ["stands for requests of no single tier"]),
        ({"name": "slow"}, ["batch is the last tier already"]),
        ({"name": "slow", "max_latency_ms": "2000"}, ["interactive ends there already"]),
        ({"name": "slow", "max_latency_ms": "0"}, ["more than 0"]),
        ({"name": "slow", "max_latency_ms": "fast"}, ["Write a number of milliseconds"]),
        ({"name": "slow", "max_latency_ms": "nan"}, ["Write a number of milliseconds"]),
        (
            {"max_latency_ms": "fast", "target_p95_ms": "0"},
            ["Write what the tier is called", "Write a number of milliseconds", "more than 0"],
        ),
        (
            {"max_latency_ms": "-1", "target_p95_ms": "1e99"},
            ["Write what the tier is called", "more than 0 and at most 1,000,000,000"],
        ),
    ],
)
def test_everything_wrong_with_a_tier_is_said_at_once(
    signed_in: Client, given: dict[str, str], said: list[str]
) -> None:
    before = LatencyTier.objects.count()
    response = signed_in.post(TIERS, given)
    assert response.status_code == 400
    assert response.text.count('class="errorlist"') >= len(said)
    for each in said:
        assert each in response.text
    assert LatencyTier.objects.count() == before


def test_a_tier_can_change_without_meeting_itself(signed_in: Client) -> None:
    path = f"{TIERS}/{tier('batch').pk}"
    assert 'value="batch"' in signed_in.get(path).text
    signed_in.post(path, {"name": "overnight", "target_p95_ms": "60000"})
    assert tier("overnight").max_latency_ms is None
    change = record("latency_tier.change")
    assert (change.subject, change.before["target p95, ms"]) == ("batch", None)
    assert change.after["target p95, ms"] == 60_000
    response = signed_in.post(path, {"name": "overnight", "target_p95_ms": "60000"}, follow=True)
    assert "Nothing was changed." in response.text
    assert signed_in.post(path, {"name": "interactive"}).status_code == 400


def test_without_a_last_tier_the_page_says_what_is_left_out(signed_in: Client) -> None:
    path = f"{TIERS}/{tier('batch').pk}/remove"
    assert "get no tier" in signed_in.get(path).text
    assert "there is none without a bound" not in signed_in.get(TIERS).text
    assert "there is none without a bound" in signed_in.post(path, follow=True).text
    assert record("latency_tier.remove").before["name"] == "batch"
    assert signed_in.post(path).status_code == 404
    LatencyTier.objects.all().delete()
    assert "Add the first below." in signed_in.get(TIERS).text


def test_a_tag_is_activated_and_deactivated(signed_in: Client) -> None:
    response = signed_in.post(TAGS, {"key": " release "}, follow=True)
    assert "Events that come from now on have the dimension Tag release." in response.text
    assert "Tag release" in signed_in.get("/explore").text
    assert "activated already" in signed_in.post(TAGS, {"key": "release"}).text
    tag = ActivatedTag.objects.get()
    assert "tag:release" in signed_in.get(f"{TAGS}/{tag.pk}/deactivate").text
    signed_in.post(f"{TAGS}/{tag.pk}/deactivate", follow=True)
    assert not ActivatedTag.objects.exists()
    assert record("tag.activate").subject == record("tag.deactivate").subject == "release"
    assert "Tag release" not in signed_in.get("/explore").text


@pytest.mark.parametrize("key", ["", "x" * 201, "a,b"])
def test_a_key_that_nobody_could_group_by_is_refused(signed_in: Client, key: str) -> None:
    response = signed_in.post(TAGS, {"key": key})
    assert response.status_code == 400
    assert 'class="errorlist"' in response.text
    assert not ActivatedTag.objects.exists()


def test_keys_seen_lately_are_offered_to_those_who_may_activate_them(signed_in: Client) -> None:
    now = datetime.now(UTC)
    ActivatedTag.objects.create(key="plan")
    kinds = [{"plan": "pro", "release": "7"}, {"release": "8"}, {"a,b": "c"}, {}]
    usage.record([usage.event(now, tags=tags) for tags in kinds], now=now)
    text = signed_in.get(TAGS).text
    assert 'name="key" value="release"' in text
    assert "on 2" in text
    assert 'value="plan"' not in text
    assert 'value="a,b"' not in text
    assert "Seen lately" not in reader("finance").get(TAGS).text


@pytest.mark.parametrize("verb", ["", "/remove"])
def test_finance_opens_no_form_of_a_tier(verb: str) -> None:
    assert reader("finance").get(f"{TIERS}/{tier('batch').pk}{verb}").status_code == 403


def test_explore_says_whether_a_tier_keeps_its_target(signed_in: Client) -> None:
    now = datetime.now(UTC)
    speeds = [("interactive", 400), ("batch", 9_000), ("standard", 50), ("gold", 70)]
    usage.record(
        [usage.event(now, latency_tier=name, latency_ms=speed) for name, speed in speeds], now=now
    )
    asked = {"group_by": "latency_tier", "metrics": "latency_p95,requests"}
    assert "target</span>" not in signed_in.get("/explore", asked).text
    for name, target in (("interactive", 500), ("batch", 5_000)):
        LatencyTier.objects.filter(name=name).update(target_p95_ms=target)
    text = signed_in.get("/explore", asked).text.replace("\u202f", " ").replace("\xa0", " ")
    assert text.count("target</span>") == 2
    assert "✓</span> within 500 ms" in text
    assert "▲</span> over 5.00 s" in text
    for other in ({"group_by": "team"}, {"metrics": "requests"}):
        assert "target</span>" not in signed_in.get("/explore", asked | other).text
