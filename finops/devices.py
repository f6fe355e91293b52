"""Devices that somebody has signed in from before, each known by a signed cookie.

Whoever guesses passwords uses up the attempts of strangers. A known device has attempts of its own,
so that it stays open to its user meanwhile (OWASP calls this device cookies).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from django.core import signing

COOKIE = "farthing_device"
LASTS = timedelta(days=365)
SALT = "finops.devices"
MOST_USERS = 8  # of one shared device; the one longest unseen is forgotten first


@dataclass(frozen=True, slots=True)
class Device:
    """`users` are the keys of those who have signed in on it, the last one last."""

    id: str
    users: tuple[int, ...] = ()

    def knows(self, user: int | None) -> bool:
        return user in self.users

    def with_user(self, user: int) -> Device:
        others = tuple(each for each in self.users if each != user)
        return replace(self, users=(*others, user)[-MOST_USERS:])

    def cookie(self) -> str:
        return signing.dumps([self.id, *self.users], salt=SALT)


def read(cookie: str | None) -> Device:
    """The device that holds this cookie; a new one where it is missing, forged or too old."""
    try:
        name, *users = signing.loads(cookie or "", salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return Device(secrets.token_urlsafe(12))
    return Device(name, tuple(users))


# What a browser's User-Agent holds → its name. The first one counts: most claim to be others too.
BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome")),
    *(("Safari", "Safari"), ("curl", "curl"), ("python", "Python")),
)
SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("Linux", "Linux")),
)


def described(user_agent: str) -> str:
    """Such as "Firefox on Linux"."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
