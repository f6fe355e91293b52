"""A URL that a user gave leads to the Internet or nowhere."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from finops import outbound
from finops.outbound import Bounds, Refused


class Inside(BaseHTTPRequestHandler):
    """A service of the machine itself, which notes who asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Host"])  # type: ignore[attr-defined]
        if self.path == "/slow":
            for _ in range(100):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n"[:1])
                time.sleep(0.1)
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "/secret")
        self.end_headers()
        self.wfile.write(b"x" * 2000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def inside() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Inside)
    server.daemon_threads, server.block_on_close = True, False
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def bounds(server: ThreadingHTTPServer, **of: Any) -> Bounds:
    return Bounds(schemes=frozenset({"http"}), ports=frozenset({server.server_port}), **of)


@pytest.fixture
def as_if_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "NOT_PUBLIC", ())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::1]"])
def test_a_service_of_this_machine_is_never_asked(inside: ThreadingHTTPServer, host: str) -> None:
    with pytest.raises(Refused, match=r"not an address of the Internet|no address"):
        outbound.send("GET", f"http://{host}:{inside.server_port}/", bounds=bounds(inside))
    assert inside.asked == []  # type: ignore[attr-defined]


@pytest.mark.usefixtures("as_if_public")
def test_a_redirect_is_not_followed_and_the_host_keeps_its_name(
    inside: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []

    def once(host: str, *_: object, **__: object) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    url = f"http://hook.example:{inside.server_port}/away"
    assert outbound.send("GET", url, bounds=bounds(inside)).status == 302
    assert inside.asked == [f"hook.example:{inside.server_port}"]  # type: ignore[attr-defined]
    assert looked_up.count("hook.example") == 1


@pytest.mark.usefixtures("as_if_public")
def test_an_answer_that_is_too_large_or_too_slow_is_not_taken(inside: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{inside.server_port}"
    with pytest.raises(Refused, match="more than 1000 bytes"):
        outbound.send("GET", url, bounds=bounds(inside, most_bytes=1000))
    begun = time.monotonic()
    with pytest.raises(Refused, match="longer than 1 s"):
        outbound.send("GET", f"{url}/slow", bounds=bounds(inside, seconds=1.0))
    assert time.monotonic() - begun < 5


def test_one_address_inside_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(2, 1, 6, "", (each, 443)) for each in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        outbound.send("GET", "https://rebinding.example/")


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "file:///etc/passwd", "gopher://example.com/", "https://"),
        *("nothing", "https://user:password@example.com/", "https://example.com:22/", ""),
    ],
)
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        outbound.send("GET", url)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("0.0.0.0", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.8"),
        *("192.0.0.9", "192.0.0.10", "192.0.2.1", "198.18.0.1", "192.88.99.1", "203.0.113.1"),
        *("::1", "::", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::808:808", "::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b:1::1"),
        *("2001:0:7f00:1::", "2001:db8::1", "2001:20::1", "3fff::1", "5f00::1", "100::1"),
        "2600::1%1",
    ],
)
def test_addresses_inside_are_told(address: str) -> None:
    assert not outbound.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "192.0.1.1", "2606:4700::1111", "2001:4860:4860::8888"]
)
def test_addresses_of_the_internet_are_told(address: str) -> None:
    assert outbound.is_public(ipaddress.ip_address(address))
