"""What is no ingest door reaches the web process unchanged, and its answer comes back unchanged."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket as socketlib
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import waitress
from ingest_server import serve, until

from finops.conninfo import conninfo
from ingest import app
from ingest.proxy import MAX_BODY_BYTES, STARTING_SECONDS, Proxy, end_to_end

PIECE = b"x" * 65536
MANY = 160  # pieces: 10 MiB
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def pages(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A web process that tells what it was asked."""
    match environ["PATH_INFO"]:
        case "/large":
            start_response("200 OK", [("Content-Type", "application/octet-stream")])
            return (PIECE for _ in range(MANY))
        case "/broken":
            start_response("200 OK", [("Content-Type", "text/csv")])
            return broken()
        case "/cookies":
            headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Location", "/elsewhere")]
            start_response("302 Found", headers)
            return [b""]
        case "/unchanged":
            start_response("304 Not Modified", [("ETag", '"1"')])
            return [b""]
        case "/compressed":
            start_response("200 OK", [("Content-Encoding", "gzip"), ("Content-Length", "7")])
            return [b"garbage"]
        case "/metrics":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"web_metric 1"]
        case "/api/v1/events":
            raise AssertionError("is ingest's own")
    digest = hashlib.sha256()
    while piece := environ["wsgi.input"].read(65536):
        digest.update(piece)
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    body = json.dumps({**told, "sha256": digest.hexdigest()}).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def broken() -> Iterator[bytes]:
    """A file that fails after its first piece."""
    yield PIECE
    raise RuntimeError("the database is gone")


@pytest.fixture(scope="module")
def socket() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="farthing-") as directory:
        path = str(Path(directory) / "web.sock")
        server = waitress.create_server(
            pages,
            unix_socket=path,
            threads=2,
            ident=None,
            trusted_proxy="*",
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"},
            clear_untrusted_proxy_headers=True,
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield path
        server.close()


@pytest.fixture(scope="module")
def front(django_db_setup: None, socket: str) -> Iterator[str]:
    with serve(app.create(dsn=conninfo(), web_socket=socket)) as url:
        yield url


@pytest.fixture
def http(db: None, front: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=front, timeout=30) as client:
        yield client


def asked(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def test_a_request_arrives_as_it_was_sent(http: httpx.Client) -> None:
    response = http.post("/a%2Fb/ü?q=1&q=%20x", content=b"body", headers={"x-own": "1"})
    told = asked(response)
    assert told["REQUEST_METHOD"] == "POST"
    assert told["PATH_INFO"] == "/a/b/ü".encode().decode("latin-1")
    assert told["QUERY_STRING"] == "q=1&q=%20x"
    assert told["HTTP_X_OWN"] == "1"
    assert told["CONTENT_LENGTH"] == "4"
    assert told["sha256"] == hashlib.sha256(b"body").hexdigest()


def test_the_web_process_learns_who_asked_for_which_host(http: httpx.Client) -> None:
    told = asked(http.get("/", headers={"host": "costs.example:8000"}))
    assert told["HTTP_HOST"] == "costs.example:8000"
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert told["wsgi.url_scheme"] == "http"


def test_a_reverse_proxy_on_this_machine_says_who_asked(http: httpx.Client) -> None:
    claims = {
        "host": "costs.example",
        "x-forwarded-for": "10.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.example",
        "forwarded": "for=10.0.0.2",
    }
    told = asked(http.get("/", headers=claims))
    assert told["REMOTE_ADDR"] == "10.0.0.1"
    assert told["wsgi.url_scheme"] == "https"
    assert told["HTTP_HOST"] == "costs.example"
    assert "HTTP_FORWARDED" not in told


def test_headers_of_one_connection_stay_on_it(http: httpx.Client) -> None:
    headers = {"connection": "keep-alive, x-mine", "x-mine": "1", "te": "trailers", "x-own": "1"}
    told = asked(http.get("/", headers=headers))
    assert not {"HTTP_X_MINE", "HTTP_TE", "HTTP_KEEP_ALIVE"} & told.keys()
    assert told["HTTP_X_OWN"] == "1"


def test_connection_headers_are_found_however_they_are_written() -> None:
    headers = [(b"Connection", b"X-A , x-b"), (b"x-A", b"1"), (b"X-B", b"2"), (b"x-c", b"3")]
    assert list(end_to_end(headers)) == [(b"x-c", b"3")]


def test_a_large_body_passes_without_a_length(http: httpx.Client) -> None:
    told = asked(http.post("/", content=(PIECE for _ in range(MANY))))
    assert told["sha256"] == hashlib.sha256(PIECE * MANY).hexdigest()


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_that_no_page_takes_is_refused(http: httpx.Client, is_announced: bool) -> None:
    body = PIECE * (MAX_BODY_BYTES // len(PIECE) + 1)
    sent = body if is_announced else iter([PIECE] * (len(body) // len(PIECE)))
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # closed before all was sent
        assert http.post("/", content=sent).status_code == 413
    assert asked(http.get("/"))


def test_a_length_beyond_all_measure_is_refused(front: str) -> None:
    host, port = httpx.URL(front).host, httpx.URL(front).port
    with socketlib.create_connection((host, port or 0), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9" + b"0" * 17)
        connection.sendall(b"\r\n\r\n")
        assert connection.recv(4096).startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))


def test_whoever_sends_slowly_is_not_waited_for_and_keeps_nobody_else_waiting(
    db: None, socket: str
) -> None:
    application = app.create(dsn=conninfo(), web_socket=socket)
    application.proxy = Proxy(socket, receive_seconds=1.0)
    with serve(application) as url, contextlib.ExitStack() as slow:
        to = (httpx.URL(url).host, httpx.URL(url).port or 0)
        waiting = [slow.enter_context(socketlib.create_connection(to, 10)) for _ in range(80)]
        for connection in waiting:
            connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx")
        assert asked(httpx.get(url))
        for connection in waiting:
            assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_large_answer_passes(http: httpx.Client) -> None:
    assert http.get("/large").content == PIECE * MANY


def test_an_answer_that_fails_in_the_middle_does_not_end_as_if_it_were_whole(
    http: httpx.Client,
) -> None:
    with http.stream("GET", "/broken") as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()
    assert asked(http.get("/"))


def test_redirects_and_repeated_headers_pass(http: httpx.Client) -> None:
    response = http.get("/cookies")
    assert response.status_code == 302
    assert response.headers["location"] == "/elsewhere"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_an_answer_without_a_body_passes(http: httpx.Client) -> None:
    assert http.get("/unchanged").status_code == 304
    head = http.head("/")
    assert head.status_code == 200
    assert head.content == b""


def test_an_answer_has_one_date(http: httpx.Client) -> None:
    for path in ("/", "/unchanged", "/healthz"):
        assert len(http.get(path).headers.get_list("date")) == 1


def test_compressed_answers_pass_as_they_are(http: httpx.Client) -> None:
    with http.stream("GET", "/compressed") as response:
        assert b"".join(response.iter_raw()) == b"garbage"
        assert response.headers["content-encoding"] == "gzip"


def test_metrics_of_both_processes_are_one_text(http: httpx.Client) -> None:
    text = http.get("/metrics").text
    assert text.startswith("web_metric 1\n")
    assert "farthing_ingest_queued_events" in text


def test_without_the_web_process_pages_are_503_and_ingest_works(db: None) -> None:
    with serve(app.create(dsn=conninfo(), web_socket="/nonexistent/web.sock")) as url:
        response = httpx.get(f"{url}/overview")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) >= 1
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert "farthing_ingest_queued_events" in httpx.get(f"{url}/metrics").text
        until(lambda: httpx.post(f"{url}/api/v1/events").status_code == 401)


def test_very_large_headers_are_refused(http: httpx.Client) -> None:
    for size in (70_000, 400_000):
        try:
            status = http.get("/", headers={"x-large": "x" * size}).status_code
        except (httpx.WriteError, httpx.ReadError):
            status = 431  # closed before all was sent
        assert status == 431
    assert http.get("/").status_code == 200


def test_headers_without_an_end_are_refused(front: str) -> None:
    host, port = httpx.URL(front).host, httpx.URL(front).port
    with socketlib.create_connection((host, port or 0), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx-large: ")
        with contextlib.suppress(OSError):
            for _ in range(1000):
                connection.sendall(b"x" * 4096)
        with contextlib.suppress(ConnectionResetError):
            assert b" 431 " in connection.recv(4096)


def test_pages_that_first_start_are_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    application = app.create(dsn=conninfo(), web_socket="/nowhere/web.sock")
    proxy = application.proxy
    assert proxy
    with serve(application) as url:
        assert httpx.get(url).status_code == 503
        assert "web does not answer" not in caplog.text
        proxy._started -= STARTING_SECONDS
        assert httpx.get(url).status_code == 503
    assert "web does not answer /" in caplog.text
