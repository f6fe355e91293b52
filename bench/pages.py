"""How long pages take: signed in like a person, asked over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from bench.queries import timed
from bench.system import System

ADMINISTRATOR = "bench"
PASSWORD = secrets.token_urlsafe(16)
PAGES = {
    "Overview": "/",
    "Explore": "/explore",
    "Explore by team and model": "/explore?group_by=team,model&granularity=day",
}


def create_administrator(farthing: System) -> None:
    given = {
        "DJANGO_SUPERUSER_USERNAME": ADMINISTRATOR,
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "bench@example.org",
    }
    with_account = replace(farthing, environment=farthing.environment | given)
    with_account.manage("createsuperuser", "--no-input")


def activate_tag(farthing: System, key: str) -> None:
    farthing.manage(
        "shell",
        "-c",
        f"from finops.models import ActivatedTag; ActivatedTag.objects.create(key={key!r})",
    )


def reset_password(farthing: System) -> None:
    """Of the administrator of an installation that is measured again."""
    farthing.manage(
        "shell",
        "-c",
        "from django.contrib.auth.models import User; "
        f"user = User.objects.get(username={ADMINISTRATOR!r}); "
        f"user.set_password({PASSWORD!r}); user.save()",
    )


@contextmanager
def signed_in(farthing: System) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=farthing.url, timeout=60.0, follow_redirects=True) as http:
        form = http.get("/sign-in")
        form.raise_for_status()
        answer = http.post(
            str(form.url),
            data={
                "username": ADMINISTRATOR,
                "password": PASSWORD,
                "csrfmiddlewaretoken": http.cookies["csrftoken"],
            },
        )
        answer.raise_for_status()
        if "sessionid" not in http.cookies:
            raise SystemExit("Signing in did not work.")
        yield http


def measure(farthing: System, times: int) -> dict[str, Any]:
    """Page → its Timing."""
    with signed_in(farthing) as http:

        def ask(path: str) -> None:
            http.get(path).raise_for_status()

        return {
            name: timed(lambda _, path=path: ask(path), times)[0] for name, path in PAGES.items()
        }
