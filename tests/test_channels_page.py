"""Channels on the Settings desk: added, tested, changed, stopped and removed on the page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import telling
import usage
from desks import reader
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from telling import Hook
from telling import hook as hook

from finops.channels import keeping, secrets
from finops.models import Alert, AuditRecord, Channel, Recipient, Team

pytestmark = pytest.mark.django_db
BASIS = {
    "least_severity": "info", "zone": "UTC", "quiet_passes": "critical", "storm_after": "10",
    "storm_minutes": "10",
}  # fmt: skip


def add(browser: Client, kind: str, **fields: Any) -> Any:
    return browser.post(f"/settings/channels/new?kind={kind}", {**BASIS, **fields})


def test_a_channel_is_added_tested_and_its_test_watched(signed_in: Client, hook: Hook) -> None:
    response = add(signed_in, "slack", name="#costs", address=hook.url, topics=["budgets"])
    held = Channel.objects.get()
    assert response["Location"] == f"/settings/channels/{held.pk}"
    response = signed_in.post(f"/settings/channels/{held.pk}/test")
    alert = Alert.objects.get(kind="test")
    assert response["Location"] == f"/alerts/{alert.pk}"
    assert "waiting" in signed_in.get(response["Location"]).text
    telling.emptied(timezone.now())
    assert "A test of the channel #costs" in hook.json[0]["text"]
    text = signed_in.get(f"/alerts/{alert.pk}").text
    assert ">sent<" in text
    assert "(200)" in text
    listing = signed_in.get("/settings/channels").text
    assert ">works<" in listing
    assert "info and worse; about budgets" in listing


def test_what_is_wrong_is_said_beside_the_field(signed_in: Client) -> None:
    for kind, address, said in (
        ("email", "nobody", "“nobody” is no e-mail address."),
        ("email", "", "Write at least one address"),
        ("slack", "https://example.com/x", "Paste the address of an incoming webhook"),
        ("webhook", "http://example.com/", "must begin with https://"),
        ("webhook", "ftp://127.0.0.1/", "The address must begin with https://."),
        ("webhook", "https://me:secret@example.com/", "without a user name or a password"),
        ("webhook", "http://127.0.0.1:8199/x", "FARTHING_ALLOWED_PRIVATE_ADDRESSES names"),
        ("webhook", "https://127.0.0.1:8199/x", "127.0.0.1 is not an address of the Internet."),
        ("webhook", "https://localhost/x", "localhost is not an address of the Internet."),
        ("webhook", "https://0x7f.1/x", "is not an address of the Internet."),
        ("webhook", "https://[::1]/x", "::1 is not an address of the Internet."),
        ("webhook", "https://example.com:8199/x", "The port must be 443 or 8443. FARTHING_"),
        ("apprise", "json://localhost/", "one of these services of apprise"),
        ("apprise", "syslog://", "one of these services of apprise"),
    ):
        response = add(signed_in, kind, name="x", address=address)
        assert response.status_code == 400
        assert said in response.text, (kind, address)
    response = add(signed_in, "email", name="", address="a@example.org", quiet_from="22:00")
    assert (
        "Quiet hours need both"
        in add(signed_in, "email", name="x", address="a@example.org", quiet_from="22:00").text
    )
    assert "This field is required." in response.text
    assert signed_in.get("/settings/channels/new?kind=pigeon").status_code == 404
    assert not Channel.objects.exists()


def test_a_webhook_s_key_is_shown_once(signed_in: Client, hook: Hook) -> None:
    response = add(signed_in, "webhook", name="ours", address=hook.url)
    held = Channel.objects.get()
    key = secrets.unseal(held.secret)["key"]
    assert key in response.text
    assert key not in signed_in.get(f"/settings/channels/{held.pk}").text
    renewed = signed_in.post(f"/settings/channels/{held.pk}/key", {"days": "1"}).text
    held.refresh_from_db()
    assert secrets.unseal(held.secret)["key"] in renewed
    assert key not in renewed
    assert not [r for r in AuditRecord.objects.all() if "whsec_" in str(vars(r))]


def test_a_channel_is_changed_and_the_record_says_how(signed_in: Client, hook: Hook) -> None:
    Team.objects.create(name="search")
    add(signed_in, "webhook", name="ours", address=hook.url)
    held = Channel.objects.get()
    sealed = bytes(held.secret)
    path = f"/settings/channels/{held.pk}"
    port = hook.url.split(":")[2].partition("/")[0]
    assert f"Empty: it stays http://127.0.0.1:{port}/…part" in signed_in.get(path).text
    signed_in.post(path, {**BASIS, "name": "theirs", "teams": ["search"], "wants_summary": "on"})
    held.refresh_from_db()
    assert (held.name, held.teams, bytes(held.secret)) == ("theirs", ["search"], sealed)
    assert held.summary_since
    [record] = AuditRecord.objects.filter(action="channel.change")
    assert record.before["name"] == "ours"
    assert record.after["teams"] == ["search"]
    again = signed_in.post(
        path, {**BASIS, "name": "theirs", "teams": ["search"], "wants_summary": "on"}, follow=True
    )
    assert "Nothing was changed." in again.text


def test_a_team_that_only_events_name_can_be_chosen(signed_in: Client, now: Any) -> None:
    usage.record([usage.event(now, team="ads")], now=now)
    path = "/settings/channels/new?kind=email"
    assert "ads (only in events)" in signed_in.get(path).text
    given = {"name": "us", "address": "ann@example.org", "teams": ["ads"]}
    assert add(signed_in, "email", **given).status_code == 302
    held = Channel.objects.get()
    assert held.teams == ["ads"]
    Channel.objects.update(teams=["gone"])
    assert "gone (there is no such team)" in signed_in.get(f"/settings/channels/{held.pk}").text


def test_mailboxes_come_and_go_and_keep_what_they_wanted(signed_in: Client) -> None:
    add(signed_in, "email", name="us", address="Ann@example.org, bob@example.org")
    held = Channel.objects.get()
    path, now = f"/settings/channels/{held.pk}", timezone.now()
    Recipient.objects.filter(address="ann@example.org").update(
        stopped_at=now, stopped_why="unsubscribed"
    )
    signed_in.post(path, {**BASIS, "name": "us", "address": "ann@example.org eve@example.org"})
    found = dict(Recipient.objects.values_list("address", "stopped_why"))
    assert found == {
        "ann@example.org": "unsubscribed", "bob@example.org": "removed", "eve@example.org": "",
    }  # fmt: skip
    signed_in.post(path, {**BASIS, "name": "us", "address": "bob@example.org"})
    signed_in.post(path, {**BASIS, "name": "us", "address": "ann@example.org"})
    assert Recipient.objects.get(address="ann@example.org").stopped_at is None


def test_disabled_enabled_and_removed(signed_in: Client, hook: Hook) -> None:
    add(signed_in, "webhook", name="ours", address=hook.url)
    held = Channel.objects.get()
    path = f"/settings/channels/{held.pk}"
    signed_in.post(f"{path}/disable")
    assert "disabled" in signed_in.get("/settings/channels").text
    response = signed_in.post(f"{path}/test", follow=True)
    assert "Enable it first" in response.text
    signed_in.post(f"{path}/enable")
    held.refresh_from_db()
    assert held.disabled_at is None
    assert "Remove ours?" in signed_in.get(f"{path}/remove").text
    signed_in.post(f"{path}/remove")
    assert signed_in.get(path).status_code == 404
    assert add(signed_in, "webhook", name="ours", address=hook.url).status_code == 200
    actions = AuditRecord.objects.filter(action__startswith="channel.").order_by("id")
    assert [each.action for each in actions] == [
        *("channel.add", "channel.disable", "channel.enable", "channel.remove", "channel.add"),
    ]


def test_what_makes_messages_useless_is_said(signed_in: Client, settings: Any) -> None:
    settings.PUBLIC_URL, settings.EMAIL_BACKEND = "http://127.0.0.1:8000", "finops.mail.Outbox"
    text = signed_in.get("/settings/channels").text
    assert "FARTHING_PUBLIC_URL names the address" in text
    assert "until EMAIL_URL names one" in text
    settings.PUBLIC_URL, settings.EMAIL_BACKEND = "https://farthing.example.com", "smtp"
    assert 'class="alert warn"' not in signed_in.get("/settings/channels").text


def test_two_channels_have_two_names(signed_in: Client) -> None:
    add(signed_in, "email", name="us", address="ann@example.org")
    response = add(signed_in, "email", name="us", address="bob@example.org")
    assert "There is a channel of this name already." in response.text


def test_finance_keeps_channels_and_engineers_do_not() -> None:
    finance, engineer = reader("finance"), reader("engineer", "search")
    assert finance.get("/settings/channels").status_code == 200
    assert add(finance, "email", name="us", address="ann@example.org").status_code == 302
    assert engineer.get("/settings/channels").status_code == 403


def test_the_log_shows_alerts_of_one_s_teams(signed_in: Client, hook: Hook) -> None:
    now = timezone.now()
    telling.channel("webhook", hook.url, now)
    telling.channel("email", "ann@example.org", now)
    held = telling.raised("a", now, team="search", title="Search is over")
    telling.raised("b", now, title="Everything is over", severity="critical")
    telling.emptied(now + timedelta(seconds=1))
    engineer, other, viewer = (
        reader("engineer", "search"),
        reader("engineer"),
        reader("viewer", "search"),
    )
    for browser, sees in ((engineer, True), (other, False), (viewer, True)):
        text = browser.get("/alerts").text
        assert ("Search is over" in text) == sees
        assert "Everything is over" not in text
        assert (browser.get(f"/alerts/{held.pk}").status_code == 200) == sees
        assert (browser.get(f"/api/v1/alerts/{held.pk}").status_code == 200) == sees
    assert "ann@example.org" not in engineer.get(f"/alerts/{held.pk}").text
    assert "ann@example.org" in signed_in.get(f"/alerts/{held.pk}").text
    assert viewer.post(f"/alerts/{held.pk}/acknowledge").status_code == 403
    assert other.post(f"/alerts/{held.pk}/acknowledge").status_code == 404
    engineer.post(f"/alerts/{held.pk}/acknowledge")
    held.refresh_from_db()
    assert held.acknowledged_by == "engineer-search"
    engineer.post(f"/alerts/{held.pk}/snooze", {"hours": "4"})
    assert "Snoozed until" in engineer.get(f"/alerts/{held.pk}").text
    engineer.post(f"/alerts/{held.pk}/snooze", {"hours": "0"})
    assert "Snoozed until" not in engineer.get(f"/alerts/{held.pk}").text
    wrong = engineer.post(f"/alerts/{held.pk}/snooze", {"hours": "99999"}, follow=True)
    assert "within the next 31 days" in wrong.text


def test_the_log_is_filtered_and_paged(signed_in: Client) -> None:
    now = timezone.now()
    for number in range(60):
        severity = "critical" if number % 10 == 0 else "warning"
        telling.raised(f"a{number}", now, severity=severity, title=f"alert {number}.")
    first = signed_in.get("/alerts").text
    assert "alert 59." in first
    assert "alert 9." not in first
    assert "Older alerts" in first
    text = signed_in.get("/alerts?severity=critical").text
    assert text.count("alert ") >= 6
    assert "alert 59." not in text
    assert signed_in.get("/alerts?severity=bad").status_code == 400
    assert signed_in.get("/alerts?cursor=x").status_code == 400
    found = signed_in.get("/api/v1/alerts?limit=7&state=open").json()
    assert len(found["alerts"]) == 7
    more = signed_in.get(f"/api/v1/alerts?limit=100&cursor={found['next_cursor']}").json()
    assert len(more["alerts"]) == 53
    assert more["next_cursor"] is None
    assert signed_in.get("/api/v1/alerts?limit=0").status_code == 400
    assert signed_in.get("/api/v1/alerts?colour=red").status_code == 400


def test_the_help_names_networks_of_one_s_own(signed_in: Client, settings: Any) -> None:
    path, said = "/settings/channels/new?kind=webhook", "at any port of 127.0.0.0/8"
    assert said not in signed_in.get(path).text
    settings.ALLOWED_PRIVATE_ADDRESSES = telling.LOOPBACK
    assert said in signed_in.get(path).text
    wrong = add(signed_in, "webhook", name="x", address="ftp://127.0.0.1/")
    assert "or, within FARTHING_ALLOWED_PRIVATE_ADDRESSES, with http://." in wrong.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("storm_after", "100000", "Write a whole number from 1 to 1,000."),
        ("storm_after", "0", "Write a whole number from 1 to 1,000."),
        ("storm_minutes", "100000", "Write a whole number from 1 to 1,440."),
        ("repeat_hours", "0", "Write a whole number from 1 to 168."),
    ],
)
def test_numbers_have_bounds(signed_in: Client, field: str, value: str, said: str) -> None:
    fields = {"name": "us", "address": "ann@example.org", field: value}
    assert said in add(signed_in, "email", **fields).text
    terms = keeping.Terms(name="us", kind="email", address="ann@example.org", **{field: int(value)})
    with pytest.raises(ValidationError) as error:
        keeping.add(terms, telling.act(timezone.now()))
    assert error.value.message_dict == {field: [said]}


def test_a_test_passes_what_is_stuck_and_the_page_says_what_waits(
    signed_in: Client, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    now = timezone.now()
    held = telling.channel("webhook", hook.url, now, name="ours")
    path = f"/settings/channels/{held.pk}"
    assert "Deliveries that wait" not in signed_in.get(path).text
    hook.answers = [(503, {"Retry-After": "600"}, b"busy")] * 2
    stuck = telling.raised("a", now)
    telling.emptied(timezone.now())
    telling.raised("b", now)
    text = signed_in.get(path).text
    assert "2, since" in text
    assert "tried again at" in text
    assert "It answered 503 busy" in text
    assert f"alert {stuck.pk} was not delivered to channel ours (later): It answered" in caplog.text
    watched = signed_in.post(f"{path}/test")["Location"]
    assert len(telling.emptied(timezone.now())) == 1, "at once, and nothing but the test"
    assert "A test of the channel ours" in hook.bodies[-1].decode()
    assert telling.emptied(timezone.now()) == [], "once: what fails then has its turns"
    page = signed_in.get(watched).text
    assert "It answered 503" in page
    assert "Acknowledge" not in page
    assert "Snooze" not in page
    assert "A test of" not in signed_in.get("/alerts?state=open").text
    signed_in.post(f"{path}/test")
    telling.emptied(timezone.now())
    assert "Deliveries that wait" not in signed_in.get(path).text, "it works again: all goes"
