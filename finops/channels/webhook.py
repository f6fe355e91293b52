"""Alerts as signed JSON, to any address that the guard lets pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from finops import outbound
from finops.channels import outcomes, signing
from finops.channels.guard import bounds, outcome_of
from finops.channels.messages import Message
from finops.channels.outcomes import Outcome
from finops.outbound import Answer, Refused

# Whoever renews a receiver answers so for some minutes: what it is told waits, and nothing is lost.
TEMPORARY = frozenset({401, 403, 404, 405, 408, 425, 429})


def send(message: Message, url: str, keys: Sequence[str]) -> Outcome:
    body = json.dumps(payload(message), ensure_ascii=False, separators=(",", ":")).encode()
    headers = signing.signed(keys, message.id, message.sent_at, body)
    headers |= {"Idempotency-Key": message.id, "User-Agent": "Farthing"}
    try:
        answer = outbound.send("POST", url, body, headers=headers, bounds=bounds())
    except Refused as error:
        return outcome_of(error)
    return answered(answer, message)


def answered(answer: Answer, message: Message) -> Outcome:
    """Any 2xx is a yes; only 410, which says that it is for good, ends the channel."""
    status = answer.status
    if 200 <= status < 300:
        return outcomes.sent(status)
    said = f"It answered {status} {outcomes.plain(answer.body)}".strip()
    if status == 410:
        return outcomes.gone(said, status)
    if status in TEMPORARY or status >= 500:
        wait = outcomes.wait_of(answer.headers, message.sent_at)
        return outcomes.later(said, status, wait=wait)
    if 300 <= status < 400:
        return outcomes.refused(f"It answered {status}; redirects are not followed.", status)
    return outcomes.refused(said, status)


def payload(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "type": "alerts",
        "sent_at": message.sent_at.astimezone(UTC).isoformat(),
        "alerts": [
            {
                "id": each.number,
                "kind": each.kind,
                "severity": each.severity,
                "title": each.title,
                "team": each.team,
                "thread": each.thread,
                "raised_at": each.raised_at.astimezone(UTC).isoformat(),
                "reminder": each.turn,
                "facts": each.facts,
                "url": message.link(each),
            }
            for each in message.alerts
        ],
    }
