"""A message that cannot be composed fails by itself, on record, and holds up no other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from telling import Hook, Mails, channel, emptied, raised
from telling import hook as hook
from telling import mails as mails

from finops.alerts import claiming
from finops.channels import Message
from finops.models import Delivery, DeliveryAttempt

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture(autouse=True)
def odd_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compose = claiming.message_of

    def composed(deliveries: Sequence[Delivery], now: datetime) -> Message:
        if any(each.alert.title == "odd" for each in deliveries):
            raise OverflowError("date value out of range")
        return compose(deliveries, now)

    monkeypatch.setattr(claiming, "message_of", composed)


def test_neither_other_recipients_nor_what_is_behind_it_wait(hook: Hook, now: datetime) -> None:
    for _ in range(3):
        channel("webhook", hook.url, now)
    raised("a", now, title="odd")
    raised("b", now, title="even")
    assert [each.result for each in emptied(now)] == ["sent"] * 3
    assert states() == ["failed"] * 3 + ["sent"] * 3
    attempt = DeliveryAttempt.objects.filter(delivery__alert__key="a").first()
    assert attempt
    assert (attempt.outcome, attempt.ended_at) == ("refused", now)
    assert attempt.detail == "It could not be composed: OverflowError."


def test_the_others_of_a_digest_are_told(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now, storm_after=2)
    for number in range(6):
        raised(str(number), now, title="odd" if number == 2 else f"number {number}")
    for minute in range(4):
        emptied(now + timedelta(minutes=minute))
    told = [each["title"] for sent in hook.json for each in sent["alerts"]]
    assert told == [f"number {n}" for n in (0, 1, 3, 4, 5)]
    assert all(sent["id"].startswith("alert-") for sent in hook.json if len(sent["alerts"]) == 1)
    assert states() == ["sent", "sent", "failed", "sent", "sent", "sent"]


def test_facts_that_cannot_be_written_spoil_no_digest(mails: Mails, now: datetime) -> None:
    channel("email", "ann@example.org", now, storm_after=1)
    raised("a", now, facts={"groups": [{"dimension": "team", "rows": [{}]}]})
    raised("b", now)
    emptied(now)
    assert states() == ["sent", "sent"]


def test_a_list_that_ends_before_its_alerts_begins_with_the_worst(
    hook: Hook, mails: Mails, now: datetime
) -> None:
    channel("slack", hook.url, now)
    channel("email", "ann@example.org", now)
    for number in range(25):
        raised(
            str(number), now, severity="critical" if number == 24 else "info", title=f"n {number}."
        )
    emptied(now)
    [digest] = hook.json
    assert digest["text"].startswith("Critical: 25 alerts: n 24.; n 0.; ")
    assert "n 24." in digest["blocks"][2]["text"]["text"]
    assert "n 19." not in str(digest["blocks"])
    text = mails.received[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.index("n 24.") < text.index("n 0.")


def test_how_bad_it_is_stands_where_a_list_of_mails_shows_it(mails: Mails, now: datetime) -> None:
    channel("email", "ann@example.org", now, storm_after=3)
    raised("a", now)
    raised("b", now, severity="critical")
    emptied(now)
    first, second = mails.received
    assert second["Subject"] == "[Farthing] Critical: Support has spent 81.2 % of $1,000"
    assert (first["Importance"], second["Importance"]) == (None, "high")
    for number in range(3):
        raised(f"c{number}", now)
    emptied(now + timedelta(minutes=1))
    assert mails.received[2]["Subject"] == "[Farthing] Warning: 3 alerts"
