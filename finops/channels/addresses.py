"""What may be the address of a channel, said before anything is sent there."""

from __future__ import annotations

import re

import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from finops.channels import guard, other, slack
from finops.models import Channel

Kind = Channel.Kind
MOST_MAILBOXES = 50
LONGEST, LONGEST_MAILBOX = 2_000, 254


def mailboxes(text: str) -> list[str]:
    """Each once, in small letters, in order."""
    found = (each.strip().lower() for each in re.split(r"[\s,;]+", text))
    return list(dict.fromkeys(each for each in found if each))


def problems(kind: str, address: str, *, is_new: bool, may_be_none: bool) -> dict[str, str]:
    """{"address": what is wrong}, or nothing. Where a name leads is asked when it is sent to."""
    if kind not in Kind.values:
        return {"kind": f"Choose one of {', '.join(Kind.values)}."}
    if kind == Kind.EMAIL:
        wrong = _wrong_mailboxes(address, may_be_none)
    elif not address.strip():
        wrong = "Paste the whole address." if is_new else ""
    elif len(address) > LONGEST:
        wrong = f"Write at most {LONGEST:,} characters."
    elif kind == Kind.APPRISE:
        wrong = other.problem(address.strip())
    else:
        wrong = _wrong_url(kind, address.strip())
    return {"address": wrong} if wrong else {}


def _wrong_mailboxes(text: str, may_be_none: bool) -> str:
    found = mailboxes(text)
    if not found and not may_be_none:
        return "Write at least one address, or have the owner of the budget told."
    if len(found) > MOST_MAILBOXES:
        return f"Write at most {MOST_MAILBOXES} addresses, or one of a mailing list."
    for each in found:
        try:
            validate_email(each)
        except ValidationError:
            return f"“{each}” is no e-mail address."
        if len(each) > LONGEST_MAILBOX:
            return f"{each[:40]}… is longer than an address may be."
    return ""


def _wrong_url(kind: str, address: str) -> str:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return "This is no URL."
    is_private = bool(settings.ALLOWED_PRIVATE_ADDRESSES)
    if url.scheme not in {"http", "https"}:
        within = " or, within FARTHING_ALLOWED_PRIVATE_ADDRESSES, with http://"
        return f"The address must begin with https://{within if is_private else ''}."
    if not url.host or url.userinfo:
        return "The address must name a host, without a user name or a password."
    if never := guard.problem(address):
        return never
    if kind == Kind.SLACK and url.host not in slack.HOSTS and not is_private:
        return "Paste the address of an incoming webhook: https://hooks.slack.com/services/…"
    return ""
