"""Sends one message by apprise, in a process of its own: `python -m finops.apprise_process`.

apprise makes its own requests, looks names up again. Here every look-up of a
name, whoever makes it, is answered with public and permitted addresses only, so that none of this
leads inside. Reads JSON from its input and writes JSON: what it is told opens the other side, so
nothing of it stands in the process's arguments, nor in its answer.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

import apprise

from finops.outbound import Network, Refused, refuse_inside

STATUS = re.compile(r"error=(\d{3})")
SECONDS = 10.0


class Noted(logging.Handler):
    """What apprise says of an answer, of which only the number of HTTP is safe to repeat."""

    def __init__(self) -> None:
        super().__init__()
        self.status: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if found := STATUS.search(record.getMessage()):
            self.status = int(found[1])


class Guard:
    """Stands in for socket.getaddrinfo and remembers whom it refused."""

    def __init__(self, permitted: tuple[Network, ...]) -> None:
        self.permitted = permitted
        self.look_up: Callable[..., list[Any]] = socket.getaddrinfo
        self.refused = ""

    def __call__(self, host: Any, *args: Any, **more: Any) -> list[Any]:
        entries = self.look_up(host, *args, **more)
        try:
            found = [ipaddress.ip_address(entry[4][0]) for entry in entries]
            refuse_inside(str(host), found, self.permitted)
        except Refused as error:
            self.refused = str(error)
            raise OSError(str(error)) from None
        return entries


def main() -> None:
    asked = json.load(sys.stdin)
    guard = Guard(tuple(ipaddress.ip_network(each) for each in asked["permitted"]))
    socket.getaddrinfo = guard
    socket.setdefaulttimeout(SECONDS)
    noted = Noted()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.INFO)
    logger.addHandler(noted)
    logger.propagate = False
    asset = apprise.AppriseAsset(http_redirects=False, storage_mode="memory")
    service = apprise.Apprise.instantiate(asked["url"], asset=asset, suppress_exceptions=True)
    is_sent = False
    if service is not None and asked["body"]:
        is_sent = bool(
            service.notify(
                title=asked["title"],
                body=asked["body"],
                notify_type=asked["type"],
                body_format=apprise.NotifyFormat.TEXT,
            )
        )
    answer = {
        "is_known": service is not None,
        "is_sent": is_sent,
        "status": noted.status,
        "refused": guard.refused,
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
