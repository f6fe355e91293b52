"""Mailing a file to each of its mailboxes; what is too large for mail is said, with a link."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from finops import formats
from finops.channels import mail
from finops.channels.messages import one_line
from finops.channels.outcomes import Outcome
from finops.models import ExportRun, ExportSchedule
from finops.scheduled_exports.files import Made

# Many servers take 10 MB in all, and base64 adds a third.
MOST_BYTES = 7 * 1024 * 1024
COLUMNS = {
    "direct_cost": "Direct cost",
    "shared_cost": "Shared cost",
    "idle_cost": "Idle cost",
    "adjustment": "Adjustments",
}


def send(
    schedule: ExportSchedule, run: ExportRun, made: Made, file: IO[bytes], to: str, now: datetime
) -> Outcome:
    return mail.deliver(composed(schedule, run, made, file, to, now), to)


def composed(
    schedule: ExportSchedule, run: ExportRun, made: Made, file: IO[bytes], to: str, now: datetime
) -> EmailMultiAlternatives:
    """The same again has the same id, by which mail programs know it."""
    context = content(schedule, made)
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    mailbox = sha256(to.encode()).hexdigest()[:16]
    message = EmailMultiAlternatives(
        one_line(context["subject"], mail.LONGEST_SUBJECT),
        render_to_string("exports/mail.txt", context),
        to=[to],
        headers={
            "Message-ID": f"<export-{run.pk}-{mailbox}@{host}>",
            "Date": now.strftime("%a, %d %b %Y %H:%M:%S %z"),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(render_to_string("exports/mail.html", context), "text/html")
    if context["is_attached"]:
        file.seek(0)
        message.attach(made.name, file.read(), made.content_type)
    return message


def content(schedule: ExportSchedule, made: Made) -> dict[str, Any]:
    held = made.summary
    standing = f"closed, version {held.version}" if held.version else "draft"
    month, total = f"{held.month:%B %Y}", Decimal(held.amounts["total_cost"])
    cells, shown = formats.money_column([Decimal(held.amounts[name]) for name in COLUMNS], total)
    return {
        "subject": f"{schedule.name}: {month}, {standing}",
        "headline": f"{month}: {formats.money_long(total, held.currency)}",
        "standing": standing,
        "is_draft": held.version is None,
        "unpriced": held.unpriced,
        "pending": held.pending,
        "amounts": list(zip([*COLUMNS.values(), "Total"], [*cells, shown], strict=True)),
        "currency": held.currency,
        "name": made.name,
        "size": f"{made.size:,}",
        "sha256": made.sha256,
        "is_attached": made.size <= MOST_BYTES,
        "link": f"{settings.PUBLIC_URL}{reverse('allocation')}?month={held.month:%Y-%m}",
        "site": settings.PUBLIC_URL,
        "schedule": schedule,
    }
