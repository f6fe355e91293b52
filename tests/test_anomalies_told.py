"""An incident arrives as one mail with its figures, and its end as a note that answers it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from telling import Mails, channel, emptied
from telling import mails as mails

from finops import anomalies
from finops.access import Standing
from finops.anomalies import feedback
from finops.models import Anomaly, Role
from finops.organisation.stored import Act
from tests.departures import NOW, held, history, judge, jump

pytestmark = pytest.mark.django_db


def test_an_incident_is_one_mail_and_its_end_answers_it(mails: Mails) -> None:
    channel("email", "ops@example.org", NOW, topics=["anomalies"])
    channel("email", "other@example.org", NOW, topics=["budgets"])
    history()
    memory = anomalies.Memory()
    now = jump(8)
    judge(now, memory)
    emptied(now)
    [mail] = mails.received
    assert mails.recipients == ["ops@example.org"]
    assert "times what was expected" in str(mail["Subject"])
    body = mail.get_body(("plain",))
    assert body
    text = str(body.get_content()).replace("\xa0", " ")
    for words in ("Observed", "Expected", "Impact", "Also seen in", "team cx", "more"):
        assert words in text, words
    html = mail.get_body(("html",))
    assert html
    assert "Cost by hour" in str(html.get_content())
    [lead] = held(lead=None)
    assert f"/anomalies/{lead.pk}" in text
    later = jump(30, times=1, after=8)
    judge(later, memory)
    emptied(later)
    assert len(mails.received) == 2
    assert "It is over" in str(mails.received[1]["Subject"])
    assert mails.received[1]["In-Reply-To"] == mail["Message-ID"]


def test_a_verdict_ends_it_and_is_told(mails: Mails) -> None:
    channel("email", "ops@example.org", NOW)
    history()
    memory = anomalies.Memory()
    now = jump(8)
    judge(now, memory)
    emptied(now)
    by = User.objects.create_user("ann-finance")
    feedback.judge(
        Anomaly.objects.get(lead=None), "false", Act(by, now), Standing(Role.FINANCE, None)
    )
    now = jump(1, after=8)
    judge(now, memory)
    emptied(now + timedelta(seconds=5))
    assert "called false alarm" in str(mails.received[-1]["Subject"])
