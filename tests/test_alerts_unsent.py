"""What went no further than to a file, to nobody, or to a channel that stopped is called so, and a
period of nothing is not told as an amount."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import telling
from desks import reader
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from telling import Hook
from telling import hook as hook

from finops.channels import keeping
from finops.models import Alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND, settings.OUTBOX_DIR = "finops.mail.Outbox", tmp_path
    return tmp_path


def page_of(alert: Alert, browser: Client) -> str:
    return browser.get(f"/alerts/{alert.pk}").text


def test_a_mail_that_went_to_a_file_is_not_called_sent(signed_in: Client, files: Path) -> None:
    now = timezone.now()
    held = telling.channel("email", "ann@example.org", now, name="us")
    alert = telling.raised("a", now, team="search")
    telling.emptied(now)
    for browser in (signed_in, reader("engineer", "search")):
        page = page_of(alert, browser)
        assert ">written to a file<" in page
        assert "as no mail server is set" in page
        assert ">sent<" not in page
        assert "(250)" not in page
        assert "1 written to a file" in browser.get("/alerts").text
    told = signed_in.get(f"/api/v1/alerts/{alert.pk}").json()["told"]
    assert [each["detail"] for each in told] == ["written to a file, as no mail server is set"]
    for path in ("/settings/channels", f"/settings/channels/{held.pk}"):
        page = signed_in.get(path).text
        assert ">written to files<" in page
        assert ">works<" not in page


def test_each_mail_is_a_file_that_mail_programs_open(files: Path) -> None:
    one = mail.EmailMessage("First", "to ann", to=["ann@example.org"])
    other = mail.EmailMessage("Second", "to bob", to=["bob@example.org"])
    mail.get_connection().send_messages([one, other])
    one.send()
    found = [each.read_bytes() for each in sorted(files.iterdir())]
    assert {each.suffix for each in files.iterdir()} == {".eml"}
    read = [message_from_bytes(each, policy=policy.default) for each in found]
    assert sorted(str(each["Subject"]) for each in read) == ["First", "First", "Second"]
    bodies = {each.get_body().get_content().strip() for each in read}  # type: ignore[union-attr]
    assert bodies == {"to ann", "to bob"}


def test_an_owner_without_an_address_is_named(signed_in: Client, now: datetime) -> None:
    demo, ann = User.objects.create_user("demo"), User.objects.create_user("ann", "ann@e.org")
    held = telling.channel("email", "finance@example.org", now, to_owner=True)
    unreached = telling.raised("a", now, budget=telling.budget(now, owner=demo))
    reached = telling.raised("b", now, budget=telling.budget(now, "Other", owner=ann))
    said = "demo, the owner of the budget, has an account without an e-mail address."
    assert said in page_of(unreached, signed_in)
    assert "without an e-mail address" not in page_of(reached, signed_in)
    page = signed_in.get(f"/settings/channels/{held.pk}").text
    assert "demo: owners of budgets whose accounts have no e-mail address" in page
    demo.email = "demo@example.org"
    demo.save()
    assert "no e-mail address" not in signed_in.get(f"/settings/channels/{held.pk}").text
    assert said not in page_of(unreached, signed_in)


def test_nobody_is_named_where_owners_are_not_to_be_mailed(
    signed_in: Client, now: datetime
) -> None:
    demo = User.objects.create_user("demo")
    telling.channel("email", "finance@example.org", now)
    telling.channel("email", "f@example.org", now, to_owner=True, least_severity="critical")
    alert = telling.raised("a", now, budget=telling.budget(now, owner=demo))
    assert "without an e-mail address" not in page_of(alert, signed_in)


def test_a_channel_that_was_refused_has_stopped_and_is_not_called_disabled(
    signed_in: Client, hook: Hook
) -> None:
    now = timezone.now()
    held = telling.channel("webhook", hook.url, now, name="ours")
    hook.usual = (410, {}, b"gone")
    telling.raised("a", now)
    telling.emptied(now)
    waits = telling.raised("b", now + timedelta(seconds=1))
    path = f"/settings/channels/{held.pk}"
    for page in (signed_in.get(path).text, signed_in.get("/settings/channels").text):
        assert ">stopped<" in page
        assert ">disabled<" not in page
    assert "ours is stopped. Enable it first." in signed_in.post(f"{path}/test", follow=True).text
    assert "disabled" not in page_of(waits, signed_in)
    keeping.enable(held, telling.act(now))
    keeping.disable(held, telling.act(now))
    assert ">disabled<" in signed_in.get(path).text


@pytest.mark.parametrize(("previous", "is_said"), [("930", True), ("0", False), (None, False)])
def test_a_last_period_of_nothing_is_not_told(
    signed_in: Client, now: datetime, previous: str | None, is_said: bool
) -> None:
    alert = telling.raised("a", now, facts=telling.facts(now, previous=previous))
    assert ("Last period" in page_of(alert, signed_in)) == is_said
