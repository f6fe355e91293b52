"""Alerts by e-mail: text and HTML with a chart, in threads, unsubscribed from by one click."""

from __future__ import annotations

import re
import smtplib
from email.utils import formataddr
from typing import Any
from urllib.parse import urlsplit

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.message import BadHeaderError
from django.template.loader import render_to_string

from finops.channels import outcomes, wording
from finops.channels.messages import SEVERITY_WORDS, Message, Told, one_line
from finops.channels.outcomes import Outcome
from finops.mail import has_server

CHART_WIDTH, CHART_HEIGHT = 552, 72
LONGEST_SUBJECT = 150
WRITTEN = "written to a file, as no mail server is set"
LISTED = 100  # alerts of a digest; the page has all
# What a server has against who sends, such as relaying denied: no mailbox is gone by that.
AUTHENTICATION_REQUIRED, POLICY = 530, re.compile(rb"\s*5\.7\.\d")


def send(message: Message, to: str, channel: int, unsubscribe: str) -> Outcome:
    """To one address. `unsubscribe` is where its owner ends it."""
    try:
        mail = composed(message, to, channel, unsubscribe)
    except (BadHeaderError, ValueError) as error:
        return outcomes.refused(f"It cannot be written as a mail: {error}")
    return deliver(mail, to)


def deliver(mail: EmailMessage, to: str) -> Outcome:
    """A mail to one address."""
    try:
        count = mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()), (550, b""))
        # Who may read of an attempt may not read whose mailbox it was.
        said = outcomes.plain(text).replace(to, "the address")
        said = f"The mail server refused the address: {code} {said}"
        is_gone = code >= 500 and code != AUTHENTICATION_REQUIRED and not POLICY.match(text)
        return outcomes.gone(said, code) if is_gone else outcomes.later(said, code)
    except smtplib.SMTPAuthenticationError as error:
        said = f"The mail server refused the login of EMAIL_URL: {error.smtp_code}"
        return outcomes.later(said, error.smtp_code, is_shared=True)
    except smtplib.SMTPResponseException as error:
        return answered(error)
    except (OSError, smtplib.SMTPException) as error:
        said = f"The mail server did not take it: {type(error).__name__}: {error}"
        return outcomes.later(said, is_shared=True)
    except (BadHeaderError, ValueError) as error:
        return outcomes.refused(f"It cannot be written as a mail: {error}")
    if not count:
        return outcomes.refused("It had no recipient.")
    return outcomes.sent(250) if has_server() else outcomes.sent(detail=WRITTEN)


def answered(error: smtplib.SMTPResponseException) -> Outcome:
    """What the server said of the sender or of the text, which is not the recipient's fault."""
    text = error.smtp_error
    said = outcomes.plain(text if isinstance(text, bytes) else str(text).encode())
    said = f"The mail server answered {error.smtp_code} {said}"
    is_data = isinstance(error, smtplib.SMTPDataError)
    if is_data and error.smtp_code >= 500:
        return outcomes.refused(said, error.smtp_code)
    return outcomes.later(said, error.smtp_code, is_shared=not is_data)


def composed(message: Message, to: str, channel: int, unsubscribe: str) -> EmailMultiAlternatives:
    context = content(message, unsubscribe)
    mail = EmailMultiAlternatives(
        one_line(message.subject, LONGEST_SUBJECT),
        render_to_string("alerts/mail.txt", context),
        to=[to],
        headers=headers(message, channel, unsubscribe),
    )
    mail.attach_alternative(render_to_string("alerts/mail.html", context), "text/html")
    return mail


def headers(message: Message, channel: int, unsubscribe: str) -> dict[str, str]:
    host = urlsplit(message.site).hostname or "localhost"
    found = {
        "Message-ID": f"<{message.id}@{host}>",
        "Date": message.sent_at.strftime("%a, %d %b %Y %H:%M:%S %z"),
        "Auto-Submitted": "auto-generated",
        "List-Id": formataddr(("Farthing alerts", f"channel-{channel}.alerts.{host}")),
        "List-Unsubscribe": f"<{unsubscribe}>",
    }
    # RFC 8058 wants HTTPS for what is done by one click.
    if unsubscribe.startswith("https://"):
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if message.severity == "critical":
        found["Importance"], found["X-Priority"] = "high", "1"
    if message.root:
        found["In-Reply-To"] = found["References"] = f"<{message.root}@{host}>"
    return found


def content(message: Message, unsubscribe: str) -> dict[str, Any]:
    """What both templates are filled with."""
    return {
        "message": message,
        "severity": message.severity,
        "word": SEVERITY_WORDS[message.severity],
        "headline": message.headline,
        "items": [item(message, each) for each in message.worst_first[:LISTED]],
        "more": max(len(message.alerts) - LISTED, 0),
        "site": message.site,
        "unsubscribe": unsubscribe,
    }


def item(message: Message, told: Told) -> dict[str, Any]:
    """Of a digest only what it lists, so that odd facts of one spoil nothing of the others."""
    listed = {
        "title": one_line(told.title),
        "severity": told.severity,
        "word": SEVERITY_WORDS[told.severity],
        "link": message.link(told),
    }
    return listed if message.is_digest else {**listed, **content_of(message, told)}


def content_of(message: Message, told: Told) -> dict[str, Any]:
    bars = wording.bars(told.facts)
    width = max(CHART_WIDTH // len(bars) - 2, 2) if bars else 0
    return {
        "lines": wording.lines(told, message.zone, message.sent_at),
        "groups": wording.groups(told.facts),
        "bar_width": min(width, 24),
        "bars": [
            {"bar": bar, "height": max(round(bar.share * CHART_HEIGHT), 1), "width": min(width, 24)}
            for bar in bars
        ],
        "caption": wording.caption(bars),
    }
