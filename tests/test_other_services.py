"""Alerts by apprise: in a process of its own, which is never led inside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import telling
from telling import Hook, emptied, raised
from telling import hook as hook

from finops.channels import other, secrets
from finops.models import Channel, Recipient


def inside(hook: Hook) -> str:
    """Not one of the services that a channel may have: the simplest that speaks to any host."""
    return hook.url.replace("http://", "json://")


def test_it_sends_where_it_may_and_is_not_led_inside(settings: Any, hook: Hook) -> None:
    settings.ALLOWED_PRIVATE_ADDRESSES = telling.LOOPBACK
    assert other.ask(inside(hook), "title", "text", "warning")["is_sent"]
    assert hook.json[0]["message"] == "text"
    settings.ALLOWED_PRIVATE_ADDRESSES = ()
    answer = other.ask(inside(hook), "title", "text", "warning")
    assert not answer["is_sent"]
    assert "not an address of the Internet" in answer["refused"]
    assert len(hook.bodies) == 1


def test_a_redirect_is_not_followed(settings: Any, hook: Hook) -> None:
    settings.ALLOWED_PRIVATE_ADDRESSES = telling.LOOPBACK
    hook.usual = (307, {"Location": hook.url}, b"")
    answer = other.ask(inside(hook), "title", "text", "warning")
    assert (answer["is_sent"], answer["status"]) == (False, 307)
    assert len(hook.bodies) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("discord://123456789/secret-token-of-mine", ""),
        ("discord://", "does not understand"),
        ("discord://1/2?template=/etc/passwd", "The option template is not taken"),
        ("mmosts://chat.example/3ccdd113474722377935511fc85d3dd4?verify=no", "The option verify"),
        ("file:///etc/passwd", "one of these services"),
        ("mailto://user:pass@example.com", "one of these services"),
        ("discord", "one of these services"),
    ],
)
def test_only_services_over_tls_are_taken(url: str, said: str) -> None:
    problem = other.problem(url)
    assert said in problem
    assert bool(said) == bool(problem)
    assert "secret-token" not in problem


@pytest.mark.django_db
def test_what_the_service_says_is_an_outcome_without_its_address(
    settings: Any, hook: Hook, now: datetime
) -> None:
    settings.ALLOWED_PRIVATE_ADDRESSES = telling.LOOPBACK
    made = Channel.objects.create(
        name="other", kind="apprise", created_at=now, secret=secrets.seal({"url": inside(hook)})
    )
    Recipient.objects.create(channel=made)
    raised("a", now)
    hook.answers = [(503, {}, b""), (401, {}, b"")]
    [first] = emptied(now)
    assert (first.result, first.status) == ("later", 503)
    [second] = emptied(now.replace(hour=13))
    assert (second.result, second.status) == ("gone", 401)
    made.refresh_from_db()
    assert made.disabled_why == "The service answered 401."
