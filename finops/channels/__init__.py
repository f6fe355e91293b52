"""Ways to tell people: e-mail, Slack, signed webhooks, and what apprise knows."""

from __future__ import annotations

from finops.channels.messages import Message, Told
from finops.channels.outcomes import Outcome
from finops.channels.sending import Target, send

__all__ = ["Message", "Outcome", "Target", "Told", "send"]
