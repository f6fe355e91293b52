"""Values from the environment, read once; wrong ones are refused at start.

The README's environment table documents every variable.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured


def envbool(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "0", "false", "no"}:
        return default if value == "" else value in {"1", "true", "yes"}
    raise ImproperlyConfigured(f"{name}={value!r}: write true or false.")


def envint(name: str, default: int, least: int, most: int) -> int:
    value = os.environ.get(name, "").strip()
    number = int(value) if value.isascii() and value.isdigit() else None
    if value and (number is None or not least <= number <= most):
        raise ImproperlyConfigured(
            f"{name}={value!r}: write a whole number from {least} to {most}."
        )
    return default if number is None else number


def env(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def secret_key(data_dir: Path) -> str:
    """SECRET_KEY, or one made once and kept in the data directory, readable by its owner only."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = data_dir / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = secrets.token_urlsafe(50)
        path.touch(mode=0o600)
        path.write_text(key)
        return key


def database(url: str) -> dict[str, Any]:
    try:
        return dict(dj_database_url.parse(url))
    except (ValueError, KeyError):
        raise ImproperlyConfigured(
            "DATABASE_URL: write postgresql://user:password@host/database."
        ) from None
