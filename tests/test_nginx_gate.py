"""A real nginx asks before each request: deploy/nginx-budgets.conf as it is, but for addresses."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from enforcing import Gateway, clock
from enforcing import gateway as gateway
from enforcing import ingest_app as ingest_app
from ingest_server import until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not NGINX and not os.environ.get("CI"), reason="nginx is not there"),
]
CONFIGURATION = Path(__file__).resolve().parent.parent / "deploy" / "nginx-budgets.conf"
AROUND = """
daemon off; master_process off; pid {directory}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream model_server {{ server {model}; }}
    include {directory}/budgets.conf;
}}
"""


class ModelServer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"answer")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def model() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelServer)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def nginx(directory: Path, farthing: str, key: str, model: str) -> Iterator[httpx.Client]:
    """A client of the gateway."""
    assert NGINX, "CI has nginx"
    text = CONFIGURATION.read_text()
    for example, here in (
        ("server 127.0.0.1:8000;", f"server {farthing};"),
        ("listen 127.0.0.1:8080;", f"listen unix:{directory}/gateway;"),
        ('"fk_…"', f'"{key}"'),
    ):
        assert text.count(example) == 1
        text = text.replace(example, here)
    (directory / "budgets.conf").write_text(text)
    (directory / "nginx.conf").write_text(AROUND.format(directory=directory, model=model))
    process = subprocess.Popen(
        [NGINX, "-p", str(directory), "-e", "stderr", "-c", str(directory / "nginx.conf")]
    )
    transport = httpx.HTTPTransport(uds=str(directory / "gateway"))
    try:
        until(lambda: (directory / "gateway").exists() or process.poll() is not None)
        with httpx.Client(transport=transport, base_url="http://gateway") as http:
            yield http
    finally:
        process.terminate()
        process.wait(10)


def call(http: httpx.Client, **headers: str) -> tuple[int, str | None]:
    """The status of a model call, and what Farthing decided where it was refused."""
    said = http.post("/v1/chat/completions", content=b"{}" * 10_000, headers=headers)
    assert (said.status_code != 200) or said.text == "answer"
    return said.status_code, said.headers.get("x-farthing-decision")


def test_nginx_lets_calls_through_blocks_and_throttles_them(
    gateway: Gateway, model: str, tmp_path: Path
) -> None:
    gateway.budget("0.005", filters={"feature": ["small"]})
    gateway.budget(1, filters={"feature": ["spent"]})
    gateway.budget("0.001", enforced="throttle", filters={"feature": ["slow"]})
    gateway.refresh()
    gateway.spend(1, feature="spent")
    farthing = urlsplit(gateway.door.url).netloc
    with nginx(tmp_path, farthing, gateway.door.key, model) as http:
        assert call(http, **{"x-feature": "other"}) == (200, None)
        # What a client says of itself in Farthing's words is not asked about.
        assert call(http, **{"x-feature": "other", "x-farthing-nonsense": "1"}) == (200, None)
        assert call(http, **{"x-feature": "small"}) == (429, "block")
        spent = http.post("/v1/chat/completions", content=b"{}", headers={"x-feature": "spent"})
        assert spent.status_code == 429
        assert spent.headers["content-type"] == "application/problem+json"
        assert spent.json()["status"] == 429
        assert int(spent.headers["retry-after"]) > 60
        assert call(http, **{"x-feature": "slow"}) == (200, None)
        slow = http.post("/v1/chat/completions", content=b"{}", headers={"x-feature": "slow"})
        assert (slow.status_code, slow.headers["x-farthing-decision"]) == (429, "throttle")
        assert 1 <= int(slow.headers["retry-after"]) <= 60
        clock.now += 60
        assert call(http, **{"x-feature": "slow"}) == (200, None)
        assert call(http, **{"x-user": "u" * 201})[0] == 429  # asked about nobody


def test_nginx_with_a_wrong_key_lets_nothing_through(
    gateway: Gateway, model: str, tmp_path: Path
) -> None:
    with nginx(tmp_path, urlsplit(gateway.door.url).netloc, "fk_unknown", model) as http:
        assert call(http, **{"x-feature": "any"}) == (401, None)


def test_nginx_lets_calls_through_while_farthing_is_away(
    gateway: Gateway, model: str, tmp_path: Path
) -> None:
    with nginx(tmp_path, "127.0.0.1:9", gateway.door.key, model) as http:
        assert call(http, **{"x-feature": "any"}) == (200, None)
