"""A webhook's key is replaced without a receiver failing: it is asked first, and for a while the
key before signs beside the new one."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import timedelta
from hashlib import sha256

import pytest
import telling
from desks import reader
from django.test import Client
from django.utils import timezone
from telling import Hook
from telling import hook as hook

from finops.channels import keeping, secrets
from finops.models import AuditRecord, Channel

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def held(hook: Hook) -> Channel:
    return telling.channel("webhook", hook.url, timezone.now(), name="ours")


def key_of(channel: Channel) -> str:
    channel.refresh_from_db()
    return secrets.unseal(channel.secret)["key"]


def signers(hook: Hook, *keys: str) -> list[bool]:
    """Of each key whether the last message has a signature of it."""
    sent = hook.headers[-1]
    given = sent["webhook-signature"].split(" ")
    content = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + hook.bodies[-1]
    found = []
    for key in keys:
        digest = hmac.new(base64.b64decode(key.removeprefix("whsec_")), content, sha256).digest()
        found.append(f"v1,{base64.b64encode(digest).decode()}" in given)
    assert len(given) == sum(found)
    return found


def test_a_new_key_is_asked_about_before_it_is_made(held: Channel) -> None:
    finance, path = reader("finance"), f"/settings/channels/{held.pk}"
    before = key_of(held)
    assert f'href="{path}/key"' in finance.get(path).text
    asked = finance.get(f"{path}/key").text
    assert "goes on signing" in asked
    assert key_of(held) == before
    assert finance.post(f"{path}/key").status_code == 400
    assert finance.post(f"{path}/key", {"days": "365"}).status_code == 400
    assert key_of(held) == before


def test_both_keys_sign_until_the_overlap_is_over(held: Channel, hook: Hook) -> None:
    finance, path, now = reader("finance"), f"/settings/channels/{held.pk}", timezone.now()
    before = key_of(held)
    page = finance.post(f"{path}/key", {"days": "7"}).text
    after = key_of(held)
    assert after in page
    assert before not in page
    assert "two signatures in one header" in page
    assert "with the one before too" in finance.get(path).text
    telling.raised("a", now)
    telling.emptied(now + DAY)
    assert signers(hook, after, before) == [True, True]
    telling.raised("b", now)
    telling.emptied(now + 8 * DAY)
    assert signers(hook, after, before) == [True, False]
    [record] = AuditRecord.objects.filter(action="channel.key")
    assert re.search(r"\d{4}-\d\d-\d\dT", str(record.after))
    assert "whsec_" not in str(vars(record))


def test_a_key_that_has_leaked_is_used_no_more(held: Channel, hook: Hook) -> None:
    now = timezone.now()
    first = key_of(held)
    second = keeping.renew_key(held, telling.act(now), DAY)
    third = keeping.renew_key(held, telling.act(now))
    telling.raised("a", now)
    telling.emptied(now)
    assert signers(hook, third, second, first) == [True, False, False]


def test_the_key_before_is_stopped_by_a_button(
    signed_in: Client, held: Channel, hook: Hook
) -> None:
    now, path = timezone.now(), f"/settings/channels/{held.pk}"
    before = key_of(held)
    after = keeping.renew_key(held, telling.act(now), DAY)
    assert "Stop the key before now" in signed_in.get(path).text
    stopped = signed_in.post(f"{path}/end-former-key", follow=True).text
    assert "newest key alone" in stopped
    assert "Stop the key before now" not in stopped
    telling.raised("a", now)
    telling.emptied(now)
    assert signers(hook, after, before) == [True, False]


def test_another_address_keeps_both_keys(held: Channel, hook: Hook) -> None:
    now = timezone.now()
    before = key_of(held)
    after = keeping.renew_key(held, telling.act(now), DAY)
    terms = keeping.Terms(name="ours", kind="webhook", address=f"{hook.url}-2")
    assert keeping.change(held, terms, telling.act(now))
    telling.raised("a", now)
    telling.emptied(now)
    assert signers(hook, after, before) == [True, True]
