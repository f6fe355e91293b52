"""Alerts by any service that apprise knows, of a list: those that speak HTTPS to a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from finops.channels import outcomes, wording
from finops.channels.messages import SEVERITY_WORDS, Message
from finops.channels.outcomes import Outcome

# apprise's name of a service → what people call it. None of them speaks to files, to the machine's
# own programs, to mail servers of its own choice, or without TLS.
SERVICES = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "gotifys": "Gotify",
    "lark": "Lark",
    "matrixs": "Matrix",
    "mmosts": "Mattermost",
    "ntfys": "ntfy",
    "opsgenie": "Opsgenie",
    "pagerduty": "PagerDuty",
    "pagertree": "PagerTree",
    "pover": "Pushover",
    "rockets": "Rocket.Chat",
    "signl4": "SIGNL4",
    "splunk": "Splunk On-Call",
    "tgram": "Telegram",
    "workflows": "Microsoft Teams (workflow)",
    "wxteams": "Webex",
    "zulip": "Zulip",
}
# Of what apprise takes after the "?": nothing that names files or turns the checks of TLS off.
OPTIONS = frozenset(
    {"channel", "group", "mode", "priority", "region", "route", "thread", "to", "topic", "ver"}
)
TYPES = {"note": "info", "info": "info", "warning": "warning", "critical": "failure"}
PERMANENT = frozenset({401, 403, 404, 410})
SECONDS = 45
LONGEST_BODY = 3_000
LISTED = 20


class NotRun(Exception):
    """The process ended without an answer."""


def send(message: Message, url: str) -> Outcome:
    try:
        answer = ask(url, message.headline, body(message), TYPES[message.severity])
    except (NotRun, OSError, subprocess.TimeoutExpired) as error:
        return outcomes.later(f"apprise did not answer: {type(error).__name__}")
    status = answer["status"]
    if answer["is_sent"]:
        return outcomes.sent(status)
    if not answer["is_known"]:
        return outcomes.gone("apprise does not understand this address.")
    if answer["refused"]:
        return outcomes.later(answer["refused"])
    said = f"The service answered {status}." if status else "The service was not reached."
    if status in PERMANENT:
        return outcomes.gone(said, status)
    if status is None or status == 429 or status >= 500:
        return outcomes.later(said, status)
    return outcomes.refused(said, status)


def problem(url: str) -> str:
    """Why this cannot be the address of a channel; "" if it can. Nothing is sent."""
    scheme = url.partition("://")[0].lower()
    if scheme not in SERVICES or "://" not in url:
        return f"Write an address of one of these services of apprise: {', '.join(SERVICES)}."
    options = url.partition("?")[2].replace(";", "&")  # apprise parts them by either
    unknown = parse_qs(options, keep_blank_values=True).keys() - OPTIONS
    if unknown:
        return f"The option {min(unknown)[:40]} is not taken; {', '.join(sorted(OPTIONS))} are."
    try:
        answer = ask(url, "", "", "info")
    except (NotRun, OSError, subprocess.TimeoutExpired):
        return "apprise could not be asked just now. Try again."
    return "" if answer["is_known"] else f"apprise does not understand this {scheme}:// address."


def ask(url: str, title: str, text: str, kind: str) -> dict[str, Any]:
    """Runs finops.apprise_process; without text it only says whether it knows the address."""
    permitted = [str(each) for each in settings.ALLOWED_PRIVATE_ADDRESSES]
    asked = {"url": url, "title": title, "body": text, "type": kind, "permitted": permitted}
    # No proxy of the environment, which would look names up by itself, and no secret of ours.
    environment = {
        name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ
    }
    done = subprocess.run(
        [sys.executable, "-m", "finops.apprise_process"],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=SECONDS,
        cwd=settings.BASE_DIR,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise NotRun
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise NotRun from None
    return answer


def body(message: Message) -> str:
    """Plain text, since services differ in what they format."""
    if message.is_digest:
        found = [
            f"{SEVERITY_WORDS[each.severity]}: {each.title}"
            for each in message.worst_first[:LISTED]
        ]
        if len(message.alerts) > LISTED:
            found.append(f"and {len(message.alerts) - LISTED} more")
        return "\n".join([*found, f"{message.site}/alerts"])[:LONGEST_BODY]
    told = message.first
    lines = wording.lines(told, message.zone, message.sent_at)
    text = "\n".join(f"{line.label}: {line.text}" for line in lines)
    return f"{text[:LONGEST_BODY]}\n{message.link(told)}".strip()
