"""What arrives: mails that thread and can be unsubscribed from, Slack within its limits, signed
webhooks."""

from __future__ import annotations

import base64
import hmac
import json
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import pytest
import telling
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from telling import Hook, Mails, channel, emptied, raised
from telling import hook as hook
from telling import mails as mails

from finops.channels import Message, Told, slack
from finops.channels.keeping import Terms
from finops.channels.outcomes import wait_of
from finops.channels.wording import bars, lines
from finops.models import AuditRecord, Channel, Recipient

pytestmark = pytest.mark.django_db
SITE = "https://farthing.example.com"


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body
    return str(body.get_content()).replace("\xa0", " ")


def test_a_mail_has_text_and_html_with_the_same_figures(mails: Mails, now: datetime) -> None:
    channel("email", "ann@example.org", now)
    raised("a", now)
    emptied(now)
    [mail] = mails.received
    assert mail.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        text = part(mail, kind)
        assert "$812.35 of $1,000.00 (81.2" in text
        assert "$1,740.50" in text
        assert f"{SITE}/budgets/7" in text
        assert "1–31 Oct" in text
    assert part(mail, "html").count('bgcolor="#123e86"') == 14
    assert not re.search(r"<(img|script|svg|style|link)\b", part(mail, "html"))


def test_headers_say_that_a_program_wrote_it_and_how_to_end_it(mails: Mails, now: datetime) -> None:
    channel("email", "ann@example.org", now)
    raised("a", now)
    emptied(now)
    [mail] = mails.received
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "alerts.farthing.example.com>" in mail["List-Id"]
    assert str(mail["List-Unsubscribe"]).strip().startswith(f"<{SITE}/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<alert-\d+-\d+@farthing\.example\.com>", mail["Message-ID"])
    assert mail["In-Reply-To"] is None
    head = mails.raw[0].decode().partition("\r\n\r\n")[0].replace("\r\n ", " ")
    assert re.search(rf"\nList-Unsubscribe: +<{SITE}/unsubscribe/[\w:-]+>\r", head), "not encoded"


def test_mails_of_one_conversation_are_one_thread(mails: Mails, now: datetime) -> None:
    channel("email", "ann@example.org", now)
    raised("80", now)
    raised("100", now, severity="critical", title="Support is over its budget")
    raised("other", now, thread="budget-8", facts=telling.facts(now, budget="Search"))
    emptied(now)
    first, second, other = mails.received
    assert first["Subject"] == "[Farthing] Warning: Support has spent 81.2 % of $1,000"
    assert second["Subject"] == "[Farthing] Critical: Support is over its budget"
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert other["In-Reply-To"] is None
    assert "over its budget" in part(second, "plain")


def test_a_name_with_line_breaks_and_markup_stays_a_name(mails: Mails, now: datetime) -> None:
    channel("email", "ann@example.org", now)
    name = "Evil\r\nBcc: all@example.org <script>alert(1)</script>"
    raised("a", now, title=name, facts=telling.facts(now, budget=name))
    assert emptied(now)[0].result == "sent"
    [mail] = mails.received
    assert mail["Bcc"] is None
    assert "<script>" not in part(mail, "html")


def test_one_click_ends_the_mails_of_one_mailbox(
    mails: Mails, now: datetime, client: Client
) -> None:
    channel("email", "ann@example.org bob@example.org", now, name="Everybody")
    raised("a", now)
    emptied(now)
    url = next(str(m["List-Unsubscribe"]) for m in mails.received if m["To"] == "ann@example.org")
    path = url.strip(" <>").removeprefix(SITE)
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(path)
    assert "Unsubscribe this address" in page.text
    assert Recipient.objects.get(address="ann@example.org").stopped_at is None, "a GET asks"
    answer = strict.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    raised("b", now)
    emptied(now)
    assert mails.recipients.count("ann@example.org") == 1
    assert mails.recipients.count("bob@example.org") == 2
    assert AuditRecord.objects.filter(action="channel.unsubscribe").exists()
    assert strict.post(path + "x").status_code == 404


def test_a_webhook_is_signed_as_standard_webhooks_says(hook: Hook, now: datetime) -> None:
    _, key = telling.keeping.add(
        Terms(name="ours", kind="webhook", address=hook.url), telling.act(now)
    )
    raised("a", now)
    emptied(now)
    [headers], [body] = hook.headers, hook.bodies
    content = b".".join(
        (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    )
    secret = base64.b64decode(key.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(secret, content, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["content-type"] == "application/json"
    assert headers["host"].startswith("127.0.0.1:")
    sent = json.loads(body)
    assert sent["id"] == headers["webhook-id"] == headers["idempotency-key"]
    [alert] = sent["alerts"]
    assert (alert["kind"], alert["severity"], alert["reminder"]) == ("budget_actual", "warning", 0)
    assert alert["facts"]["actual"] == "812.345678"
    assert alert["url"] == f"{SITE}/budgets/7"


def test_a_redirect_is_not_followed(hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now)
    hook.usual = (302, {"Location": hook.url}, b"")
    raised("a", now)
    [outcome] = emptied(now)
    assert outcome.result == "refused"
    assert len(hook.bodies) == 1


def test_an_address_inside_is_never_asked(settings: Any, hook: Hook, now: datetime) -> None:
    channel("webhook", hook.url, now)
    channel("slack", hook.url, now)
    settings.ALLOWED_PRIVATE_ADDRESSES = ()
    raised("a", now)
    found = emptied(now)
    assert {each.result for each in found} == {"gone"}, "no other attempt could end otherwise"
    assert "FARTHING_ALLOWED_PRIVATE_ADDRESSES" in found[0].detail
    assert hook.bodies == []


def test_slack_is_told_in_blocks_with_a_fallback(hook: Hook, now: datetime) -> None:
    channel("slack", hook.url, now)
    raised("a", now, title="<!channel> & <https://evil.example|click>")
    emptied(now)
    [sent] = hook.json
    assert sent["text"].startswith("Warning: &lt;!channel&gt; &amp; &lt;https")
    kinds = [each["type"] for each in sent["blocks"]]
    assert kinds == ["section", "section", "context", "context", "actions"]
    fields = [each["text"].replace("\xa0", " ") for each in sent["blocks"][1]["fields"]]
    assert fields[2] == "*Spent*\n$812.35 of $1,000.00 (81.2 %)"
    chart, aside = (
        each["elements"][0]["text"].replace("\xa0", " ") for each in sent["blocks"][2:4]
    )
    assert re.fullmatch("[▁-█]{14}  Cost by day, 1 Oct – 14 Oct; the highest is .48.00", chart)
    assert aside == "Figures up to: 15 Oct, 12:00 UTC", "always, whatever is cut off"
    assert "<!channel>" not in hook.bodies[0].decode()
    assert sent["blocks"][-1]["elements"][0]["url"] == f"{SITE}/budgets/7"


names = st.text(max_size=4_000)


@given(
    titles=st.lists(names, min_size=1, max_size=60),
    name=names,
    value=names,
    extra=st.dictionaries(names, names, max_size=15),
    url=names.map(lambda text: "/" + text),
)
def test_no_message_to_slack_is_beyond_its_limits(
    titles: list[str], name: str, value: str, extra: dict[str, str], url: str
) -> None:
    at = datetime(2026, 10, 15, tzinfo=UTC)
    facts = {**extra, "budget": name, "value": value, "dimension": "user", "url": url}
    alerts = tuple(
        Told(n, "budget_actual", "warning", title, facts, name[:200], "t", at)
        for n, title in enumerate(titles)
    )
    zone: Any = UTC
    message = Message("id", "", "subject", alerts, SITE, zone, at)
    found = [block.to_dict() for block in slack.blocks(message)]  # slack_sdk checks most limits
    assert len(found) <= 50
    assert 0 < len(slack.fallback(message)) <= 3_000
    text = 0
    for block in found:
        text += len(block.get("text", {}).get("text", ""))
        assert len(block.get("text", {}).get("text", "")) <= 3_000
        assert len(block.get("fields", [])) <= 10
        for part in block.get("fields", []):
            text += len(part["text"])
            assert 0 < len(part["text"]) <= 2_000
    assert text <= 13_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30.0), ("0.5", 0.5), ("99999999", 3600.0), ("-3", 0.0), ("soon", None), ("", None),
     ("Thu, 15 Oct 2026 12:01:00 GMT", 60.0)],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(now: datetime, text: str, seconds: float | None) -> None:
    assert wait_of({"retry-after": text}, now) == seconds


def test_other_facts_are_written_as_people_read_them(now: datetime) -> None:
    of = {
        "pending_events": 120_000,
        "added": "3.1",
        "estimated": "0",
        "behind_seconds": 240,
        "stale_since": now.isoformat(),
    }
    told = Told(1, "pipeline_stale", "critical", "t", of, "", "t", now)
    zone: Any = UTC
    assert {each.label: each.text.replace("\xa0", " ") for each in lines(told, zone, now)} == {
        "Added": "$3.10",
        "Pending events": "120,000",
        "Behind": "4 min",
        "Stale since": "15 Oct, 12:00 UTC",
    }


def test_the_page_draws_few_days_narrow_with_the_caption_of_the_mail(
    mails: Mails, signed_in: Client, now: datetime
) -> None:
    channel("email", "ops@example.com", now)
    days = [{"day": f"2026-11-{day:02}", "actual": str(day)} for day in (2, 3)]
    for key, series, said in (
        ("1", days[:1], "Cost of 2 Nov: $2.00"),
        ("2", days, "Cost by day, 2 Nov – 3 Nov; the highest is $3.00"),
    ):
        held = raised(key, now, thread=key, facts=telling.facts(now, series=series))
        emptied(now)
        page = signed_in.get(f"/alerts/{held.pk}").content.decode().replace("\xa0", " ")
        assert said in page
        assert 'viewBox="0 0 240 100"' in page  # a day is a 24th of the width
        assert said in part(mails.received[-1], "html")


def test_odd_facts_are_shown_and_break_nothing(now: datetime) -> None:
    odd: dict[str, Any] = {
        "amount": "NaN", "actual": [], "forecast": None, "threshold": {"value": "x"},
        "series": [{"day": "never", "actual": "1"}, 3, {"day": "2026-10-01", "actual": "-1"}],
        "period_start": 5, "as_of": "yesterday", "asked_by": "ann", "groups": None,
    }  # fmt: skip
    told = Told(1, "budget_increase", "info", "t", odd, "", "t", now)
    zone: Any = UTC
    assert [each.label for each in lines(told, zone, now)] == ["Asked by"]
    assert bars(odd) == []


def test_the_secret_of_a_channel_is_nowhere_in_the_clear(
    hook: Hook, now: datetime, signed_in: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    made = channel("slack", hook.url, now)
    hook.usual = (500, {}, b"no")
    raised("a", now)
    emptied(now)
    stored = Channel.objects.values().get(pk=made.pk)
    stored["secret"] = bytes(stored["secret"])
    told = [str(stored), caplog.text, str(list(AuditRecord.objects.values()))]
    told += [
        signed_in.get(path).text for path in ("/settings/channels", f"/settings/channels/{made.pk}")
    ]
    assert not [text for text in told if "very-secret" in text or "T000" in text]
    port = hook.url.split(":")[2].partition("/")[0]
    assert made.shown == f"http://127.0.0.1:{port}/…part"


def test_another_secret_key_makes_a_channel_say_so(
    settings: Any, hook: Hook, now: datetime
) -> None:
    made = channel("slack", hook.url, now)
    settings.SECRET_KEY = "another"
    raised("a", now)
    emptied(now)
    made.refresh_from_db()
    assert "SECRET_KEY is not the one" in made.disabled_why
