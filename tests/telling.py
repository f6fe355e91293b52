"""Channels and alerts for tests, a real mail server and a real HTTP server that hear of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.contrib.auth.models import User

from finops import alerts
from finops.channels import Outcome, keeping
from finops.channels.keeping import Terms
from finops.models import Alert, Budget, Channel
from finops.organisation.stored import Act

SITE = "https://farthing.example.com"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Mails:
    """A mail server's handler: what arrived, and what it answers for an address or to a text."""

    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    answer: str = "250 taken"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if said := self.refuses.get(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            found = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(found, EmailMessage)
            self.received.append(found)
            self.raw.append(envelope.content)
            self.recipients += envelope.rcpt_tos
        return self.answer

    def header(self, name: str) -> list[str]:
        return [str(each[name]) for each in self.received]


@contextmanager
def mail_server(settings: Any, handler: Mails, port: int = 0) -> Iterator[int]:
    """Takes what Django sends; yields its port."""
    controller = Controller(handler, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_TIMEOUT = 5
    try:
        yield int(controller.port)
    finally:
        controller.stop()


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return int(server.server_port)


@pytest.fixture
def mails(settings: Any) -> Iterator[Mails]:
    settings.PUBLIC_URL = SITE
    handler = Mails()
    with mail_server(settings, handler):
        yield handler


@dataclass
class Hook:
    """An HTTP server that notes what it is sent, and answers as told: status, headers, body."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    usual: tuple[int, dict[str, str], bytes] = (200, {}, b"ok")
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.bodies]


@contextmanager
def hook_server(port: int = 0) -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hook.before()
            hook.headers.append({name.lower(): text for name, text in self.headers.items()})
            hook.bodies.append(body)
            status, headers, answer = hook.answers.pop(0) if hook.answers else hook.usual
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    hook.url = f"http://127.0.0.1:{server.server_port}/services/T000/B000/very-secret-part"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    """What is on this machine may be asked while this is used."""
    settings.ALLOWED_PRIVATE_ADDRESSES, settings.PUBLIC_URL = LOOPBACK, SITE
    with hook_server() as made:
        yield made


def act(at: datetime) -> Act:
    user, _ = User.objects.get_or_create(username="keeper")
    return Act(user, at)


def channel(kind: str, address: str, at: datetime, **terms: Any) -> Channel:
    name = terms.pop("name", f"{kind}-{Channel.objects.count()}")
    made, _ = keeping.add(Terms(name=name, kind=kind, address=address, **terms), act(at))
    return made


def budget(at: datetime, name: str = "Support", **fields: Any) -> Budget:
    return Budget.objects.create(
        name=name, period="monthly", amount_kind="fixed", amount=1000, created_at=at,
        changed_at=at, **fields,
    )  # fmt: skip


def facts(at: datetime, **more: Any) -> dict[str, Any]:
    """Of a budget that has reached 80 %."""
    first = at.date().replace(day=1)
    series = [
        {"day": (first + timedelta(days=n)).isoformat(), "actual": str(20 + 7 * (n % 5))}
        for n in range(14)
    ]
    return {
        "budget": "Support", "value": "", "dimension": "",
        "period_start": first.isoformat(),
        "period_end": (first + timedelta(days=31)).replace(day=1).isoformat(),
        "amount": "1000", "actual": "812.345678", "forecast": "1740.5",
        "threshold": {"basis": "actual", "kind": "percent", "value": "80"},
        "currency": "USD", "as_of": at.isoformat(), "unpriced_requests": 3,
        "series": series, "previous": "930", "url": "/budgets/7", **more,
    }  # fmt: skip


def raised(key: str, at: datetime, **more: Any) -> Alert:
    given: dict[str, Any] = {
        "kind": "budget_actual", "severity": "warning",
        "title": "Support has spent 81.2 % of $1,000", "facts": facts(at),
        "thread": "budget-7-2026-10-01",
    }  # fmt: skip
    made = alerts.raise_alert(key=key, now=at, **{**given, **more})
    assert made
    return made


def emptied(at: datetime) -> list[Outcome]:
    """One round of the outbox at this moment, to its end."""
    return list(alerts.proceed(lambda: at, lambda: True))
