"""Values from the environment, read once; wrong ones are refused at start.

The README's environment table documents every variable.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

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


def secret(variable: str, path: Path, *, is_needed: bool = True) -> str:
    """The variable, or one made once and kept in this file, readable by its owner only; '' where
    it is not needed and no file can be written."""
    if key := os.environ.get(variable):
        return key
    try:
        return path.read_text() if path.exists() else _made_secret(path)
    except OSError:
        if is_needed:
            raise
        return ""


def _made_secret(path: Path) -> str:
    """Programs that start at the same moment agree on the first one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    mine.touch(mode=0o600)
    mine.write_text(secrets.token_urlsafe(50))
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        mine.unlink()
    return path.read_text()


def database(url: str) -> dict[str, Any]:
    try:
        return dict(dj_database_url.parse(url))
    except (ValueError, KeyError):
        raise ImproperlyConfigured(
            "DATABASE_URL: write postgresql://user:password@host/database."
        ) from None


# Scheme → whether it starts TLS, whether it is TLS from the start, and the usual port.
MAIL_SCHEMES = {"smtp": (False, False, 25), "smtp+tls": (True, False, 587)}
MAIL_SCHEMES["smtps"] = (False, True, 465)


class Mail(NamedTuple):
    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    starts_tls: bool = False
    is_tls: bool = False


def mail_server(url: str) -> Mail:
    """The mail server that EMAIL_URL names; without one, mail goes to the outbox's files."""
    if not url:
        return Mail("finops.mail.Outbox")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in MAIL_SCHEMES or not parts.hostname:
        # It may hold a password, so it is not repeated.
        raise ImproperlyConfigured(
            "EMAIL_URL: write smtp+tls://user:password@host:587 or smtps://…"
        )
    starts_tls, is_tls, usual_port = MAIL_SCHEMES[parts.scheme]
    return Mail(
        "django.core.mail.backends.smtp.EmailBackend",
        parts.hostname,
        port or usual_port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        starts_tls,
        is_tls,
    )


def public_url(url: str, is_https: bool, host: str, port: int) -> str:
    """Without a slash at its end. Where nothing is set, what the other settings say."""
    if not url:
        bare = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
        return f"https://{bare.lstrip('*.')}" if is_https else f"http://{bare}:{port}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ImproperlyConfigured(
            f"FARTHING_PUBLIC_URL={url!r}: write https://farthing.example.com."
        )
    return url.rstrip("/")


Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def networks(text: str) -> Networks:
    """Addresses and networks, parted by commas: 10.0.0.0/8,fd00::/8,192.168.1.20."""
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise ImproperlyConfigured(
            f"FARTHING_ALLOWED_PRIVATE_ADDRESSES={text!r}: {error}. Write networks such as "
            "10.0.0.0/8,192.168.1.20."
        ) from None


SingleSignOn = tuple[dict[str, Any], str, Mapping[str, str]]


def single_sign_on() -> SingleSignOn:
    """The OpenID Connect provider as allauth wants it, the claim that lists groups, group → role.

    Without OIDC_ISSUER there is none.
    """
    issuer = env("OIDC_ISSUER", "").rstrip("/")
    if not issuer:
        return {"openid_connect": {"APPS": []}}, "", {}
    parts = urlsplit(issuer)
    # Who can read or change what passes here can be anybody.
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ImproperlyConfigured(f"OIDC_ISSUER={issuer!r}: it must be an https:// address.")
    client_id, secret = env("OIDC_CLIENT_ID", ""), env("OIDC_CLIENT_SECRET", "")
    if not (client_id and secret):
        raise ImproperlyConfigured("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET too.")
    app = {
        "provider_id": "sso",
        "name": env("OIDC_NAME", "single sign-on"),
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": issuer, "oauth_pkce_enabled": True},
    }
    return {"openid_connect": {"APPS": [app]}}, env("OIDC_GROUPS_CLAIM", ""), _roles_of_groups()


def _roles_of_groups() -> dict[str, str]:
    pairs = [pair.rpartition("=") for pair in env("OIDC_ROLES", "").split(",") if pair.strip()]
    roles = {group.strip(): role.strip() for group, _, role in pairs}
    known = {"administrator", "finance", "engineer", "viewer"}
    if not all(roles) or set(roles.values()) - known:
        raise ImproperlyConfigured(
            "OIDC_ROLES: write group=role,group=role with the roles " + ", ".join(sorted(known))
        )
    return roles
